"""The server's configuration for `make lab`: what the kernel says is sent to the page at once.

Jupyter Server leaves Nagle's algorithm on for the kernel's websocket, so that while a slider is
dragged each answer waits for the browser's acknowledgment of the one before: 20 pictures a second
instead of 50.
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
