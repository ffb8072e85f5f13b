"""Write the site into a folder: the book, and in it the laboratory.

    python website/build.py FOLDER

Any web server can serve the folder, from any path; the book also opens as plain files.
"""

import shutil
import sys
import time
from pathlib import Path

import book
import laboratory


def main(folder):
    shutil.rmtree(folder, ignore_errors=True)
    for name, write in [("book", book.write), ("laboratory", laboratory.write)]:
        start = time.perf_counter()
        write(folder)
        print(f"{time.perf_counter() - start:5.1f} s  {name}", flush=True)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{size / 1e6:.0f} MB in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
