"""Tries what is in deploy/ and training on several machines, as far as one machine can, and prints a table.

    python -m tests.deploy.run [--full] [--kind NAME] [--only WORDS] [--list]

What this machine lacks is told by name as not tried.
"""

from tests.faults.run import main

KINDS = {
    "dataflow": "jobs that reach a server in place of Dataflow",
    "image": "the steps of deploy/Dockerfile in a clean root, and Beam's boot program in it",
    "clusters": "training on machines of a network, of which one is lost",
    "schedulers": "deploy/train.slurm and deploy/kubernetes.yaml",
}

if __name__ == "__main__":
    main("tests.deploy", KINDS, __doc__)
