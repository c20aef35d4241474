"""Executes a notebook by Jupyter's own client, as `jupyter nbconvert --execute` does.

    python tests/reference/execute_notebook.py NOTEBOOK OUT

evcxr may send the last line that a cell prints after it has said that it is idle, and nbclient listens
to that cell no longer (docs/upstream/evcxr-last-line-after-idle.md). Here what comes late still goes to
the cell that it names, while the next one runs.
"""

import pathlib
import sys

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete


class Client(NotebookClient):
    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.cells = {}  # by the request that executes them

    async def _async_poll_output_msg(self, parent_msg_id, cell, cell_index):
        self.cells[parent_msg_id] = (cell, cell_index)
        while True:
            message = await self.kc.iopub_channel.get_msg(timeout=None)
            request = message["parent_header"].get("msg_id")
            if request not in self.cells:
                continue
            try:
                self.process_message(message, *self.cells[request])
            except CellExecutionComplete:
                if request == parent_msg_id:
                    return


notebook, out = map(pathlib.Path, sys.argv[1:])
contents = nbformat.read(notebook, as_version=4)
client = Client(
    contents, kernel_name="rust", startup_timeout=120, timeout=1200,
    resources={"metadata": {"path": notebook.parent}},
)
client.execute()
out.parent.mkdir(parents=True, exist_ok=True)
nbformat.write(contents, out)
