"""What the shop window says."""


def greeting(path: str) -> str:
    return f"Welcome to the shop, you asked for {path}\n"
