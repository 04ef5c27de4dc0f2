"""A real Kubernetes control plane on the loopback interface: built from released modules, started in seconds.

`with ControlPlane() as cluster: cluster.client.apply(...)` is all it takes, in a test or in a script. See
`control_plane.py` for that, `build.py` for the programs.
"""
