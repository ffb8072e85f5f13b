import matplotlib

from tools.run_notebooks import set_kernel_environment

set_kernel_environment()  # nbval's kernels inherit it
matplotlib.use("agg")


def pytest_configure(config):
    # Coverage is of what the tests check; nbval would trace its kernels too, and slow them down.
    config.option.cov_source = None
