"""Run one peer by hand: `echo '{"do": "build", "row": "tiny"}' | python bench/worker.py torch_peer eager`."""

from harness.worker import main

if __name__ == "__main__":
    main()
