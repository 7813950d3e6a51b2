"""Where work runs: tasks in, their messages out; a task that crashes or hangs takes only itself down."""
