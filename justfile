# Shortcuts for people who like `just` (pip install rust-just). Each is one plain command; none is needed.

# what there is
default:
    @just --list

# an editable checkout with every tool, from the hashed lock
setup:
    python -m pip install --require-hashes -r requirements/dev.txt
    python -m pip install --no-deps --no-build-isolation -e .
    pre-commit install

# mend what can be mended by itself
mend:
    ruff check --fix .
    ruff format .

# all that reads the code without running it
check:
    ruff check .
    ruff format --check .
    mypy
    lint-imports

# the tests; arguments go to pytest
test *ARGS:
    python -m pytest -q -n 2 {{ ARGS }}

# what CI does, in a fresh environment
ci:
    bash .ci/run

# write the locks anew, within the bounds of pyproject.toml
lock *ARGS:
    uv pip compile -q --universal --generate-hashes --python-version 3.11 --custom-compile-command "just lock" --no-emit-package tocsin {{ ARGS }} pyproject.toml -o requirements/lock.txt
    uv pip compile -q --universal --generate-hashes --python-version 3.11 --custom-compile-command "just lock" --no-emit-package tocsin {{ ARGS }} --extra test pyproject.toml -o requirements/test.txt
    uv pip compile -q --universal --generate-hashes --python-version 3.11 --custom-compile-command "just lock" --no-emit-package tocsin {{ ARGS }} --extra dev pyproject.toml -o requirements/dev.txt

# what the next release would say
news:
    towncrier build --draft
