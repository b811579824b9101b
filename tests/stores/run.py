"""Tries commands against object stores that run on this machine, and prints a table of what was tried and survived.

    python -m tests.stores.run [--full] [--kind NAME] [--only WORDS] [--list]

The stores are real servers with the interfaces of Google's store and of S3, which `make test-stores` installs.
"""

from tests.faults.run import main

KINDS = {
    "datasets": "prepare, verify, repair and train at stores, same hashes",
    "cut_uploads": "uploads that are cut never show as shards",
    "failing_answers": "stores that answer 500, 503, slowly or not at all",
    "locks_at_stores": "two commands in one folder of a store",
}

if __name__ == "__main__":
    main("tests.stores", KINDS, __doc__)
