"""One Playwright for all tests of a process: a second one can't begin beside it."""

import asyncio
import atexit
import os
from contextlib import contextmanager
from functools import cache


@cache
def driver():
    """Start Playwright on first use; it ends with the process."""
    from playwright.sync_api import sync_playwright

    # Playwright's loop must not make Django think that our code is asynchronous.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    manager = sync_playwright()
    started = manager.start()
    atexit.register(manager.__exit__)
    return started


@contextmanager
def out_of_the_way():
    """Hide Playwright's loop, which counts as running until it ends, from a test that runs a loop of its own."""
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)
