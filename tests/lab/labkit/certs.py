"""The cluster's certificates, made by openssl: a CA, the API's server certificate, the operator's client certificate."""

import base64
import subprocess

from . import config
from .space import LabError

EXTENSIONS = """
[ca]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = CA:false
extendedKeyUsage = serverAuth
subjectAltName = {names}
[client]
basicConstraints = CA:false
extendedKeyUsage = clientAuth
"""

API_NAMES = f"DNS:kubernetes,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.{config.ZONE},DNS:localhost," \
            f"IP:{config.API_ADDRESS},IP:{config.API_SERVICE},IP:127.0.0.1"
POD_NAMES = f"DNS:*.shop.svc.{config.ZONE},DNS:*.shop,DNS:*.shop.svc,DNS:api,DNS:secure,DNS:localhost"


def _openssl(*argv, cwd):
    done = subprocess.run(["openssl", *argv], cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        raise LabError(f"openssl {argv[0]}: {done.stderr.strip()}")


def make(folder):
    """ca.pem, api.pem, client.pem, pod.pem with their .key files."""
    folder.mkdir(exist_ok=True)
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    for name, names in (("api", API_NAMES), ("pod", POD_NAMES)):
        (folder / f"{name}.ext").write_text(EXTENSIONS.format(names=names))
    _openssl("req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "3650", "-subj", "/CN=kubernetes", cwd=folder)
    for name, subject, section in (("api", "/CN=kube-apiserver", "server"), ("pod", "/O=shop/CN=pod", "server"),
                                   ("client", "/O=system:masters/CN=lab-admin", "client")):
        _openssl("req", *new_key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject, cwd=folder)
        _openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "365",
                 "-extfile", f"{name if section == 'server' else 'api'}.ext", "-extensions", section, "-out", f"{name}.pem", cwd=folder)
    for key in folder.glob("*.key"):
        key.chmod(0o600)


def kubeconfig(folder):
    def embedded(name):
        return base64.b64encode((folder / name).read_bytes()).decode()

    return f"""apiVersion: v1
kind: Config
current-context: lab
clusters:
- name: lab
  cluster:
    server: https://{config.API_ADDRESS}:{config.API_PORT}
    certificate-authority-data: {embedded('ca.pem')}
contexts:
- name: lab
  context: {{cluster: lab, user: lab-admin, namespace: default}}
users:
- name: lab-admin
  user:
    client-certificate-data: {embedded('client.pem')}
    client-key-data: {embedded('client.key')}
"""
