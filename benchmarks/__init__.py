"""The figures that we promise, as ratios within one run: these machines are noisy, their ratios are not."""
