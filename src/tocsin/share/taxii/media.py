"""Nothing in, the media types of what travels out, and the resource that is not TAXII's."""

from __future__ import annotations

from typing import Final

TAXII: Final = "application/taxii+json;version=2.1"
NODE: Final = "application/vnd.tocsin.node-message.v1+json"
NODE_RESOURCE: Final = "node/"  # below the root, beside the collections
