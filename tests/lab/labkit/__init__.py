"""The network-namespace lab: two Kubernetes nodes, their pods and the network around them, on one machine."""
