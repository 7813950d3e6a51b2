"""Steps of the store from each version to the next, as Alembic runs them."""
