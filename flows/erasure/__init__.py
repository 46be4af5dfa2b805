"""`genchi forget`: the texts of a person leave the lake, the warehouse, the reports and the journals, and stay away."""

from flows.erasure.forgetting import Asked, erase_again, forget

__all__ = ["Asked", "erase_again", "forget"]
