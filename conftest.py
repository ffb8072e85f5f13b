import matplotlib

from tools.run_notebooks import set_kernel_environment

set_kernel_environment()  # nbval's kernels inherit it
matplotlib.use("agg")
