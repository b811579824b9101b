"""`textgen` on a machine that has so many CPU devices: replicas_script.py DEVICES COMMAND …"""

import sys

import tensorflow as tf

from textgen.cli import main

if __name__ == "__main__":
    (cpu,) = tf.config.list_physical_devices("CPU")
    devices = [tf.config.LogicalDeviceConfiguration()] * int(sys.argv[1])
    tf.config.set_logical_device_configuration(cpu, devices)
    sys.exit(main(sys.argv[2:]))
