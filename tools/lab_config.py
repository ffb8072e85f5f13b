"""The server's configuration for `make lab`: what the kernel says is sent to the page at once.

Jupyter Server leaves Nagle's algorithm on for the kernel's websocket, so that while a point is
dragged over a map, which no explorer computes ahead, each answer waits for the browser's
acknowledgment of the one before.
"""

from functools import wraps

from jupyter_server.services.kernels.websocket import KernelWebsocketHandler


def without_delay(open_websocket):
    @wraps(open_websocket)
    def open_without_delay(self, *args, **kwargs):
        self.set_nodelay(True)
        return open_websocket(self, *args, **kwargs)

    return open_without_delay


KernelWebsocketHandler.open = without_delay(KernelWebsocketHandler.open)
