"""What scales a workload: the triggers of KEDA, one a file."""
