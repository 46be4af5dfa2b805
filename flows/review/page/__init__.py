"""The page on which people judge the answers of a day's queue."""

from flows.review.page.day_review import Apply, Suggest
from flows.review.page.guard import Guard, Password
from flows.review.page.review_app import create_app
from flows.review.page.serving import Place, serve

__all__ = ["Apply", "Guard", "Password", "Place", "Suggest", "create_app", "serve"]
