"""A tool that changes something: every call is a line in a file, which nothing takes back."""

import asyncio
import os


async def order(number: str, seconds: float = 0.0) -> str:
    """Order, after a moment; then the confirmation takes another."""
    await asyncio.sleep(seconds)
    with open(os.environ["ORDERS_FILE"], "a", encoding="utf-8") as file:
        file.write(f"{number}\n")
    await asyncio.sleep(seconds)
    return f"ordered {number}"
