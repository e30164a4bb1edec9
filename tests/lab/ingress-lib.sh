# An ingress controller in the lab: nginx in a pod, by the names and labels of ingress-nginx, with the configuration that
# the controller would make of Ingress shop/web-ingress. Scenarios say what differs in it.
# shellcheck shell=sh

# ingress [RULES [SERVER [LOCATION]]]: the objects, and nginx. RULES: the spec of the Ingress but for its class (CLASS, or
# nginx); SERVER, LOCATION: nginx directives of the host's server and of its location; PEM: what stand_in gives.
ingress() {
	rules=${1:-'{rules: [{host: www.shop.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: www, port: {number: 80}}}}]}}]}'}
	upstream=$(pod_ip shop/api-1)
	lab apply - <<YAML
{apiVersion: v1, kind: Namespace, metadata: {name: ingress-nginx}}
---
{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: nginx}, spec: {controller: k8s.io/ingress-nginx}}
---
{apiVersion: v1, kind: Service, metadata: {name: www, namespace: shop}, spec: {selector: {app: api}, ports: [{name: http, port: 80, targetPort: 8080}]}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web-ingress, namespace: shop}, spec: {ingressClassName: ${CLASS:-nginx}}}
---
apiVersion: v1
kind: Service
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
spec:
  type: NodePort
  selector: {app.kubernetes.io/name: ingress-nginx, app.kubernetes.io/component: controller}
  ports:
  - {name: http, port: 80, targetPort: 80, nodePort: 30081}
  - {name: https, port: 443, targetPort: 443, nodePort: 30443}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: nginx-conf, namespace: ingress-nginx}
data:
  stand-in.pem: ${PEM:-"none"}
  nginx.conf: |
    daemon off;
    pid /run/nginx.pid;
    error_log stderr;
    events { worker_connections 64; }
    http {
      access_log off;
      client_body_temp_path /run/nginx-body; proxy_temp_path /run/nginx-proxy; fastcgi_temp_path /run/nginx-fcgi;
      uwsgi_temp_path /run/nginx-uwsgi; scgi_temp_path /run/nginx-scgi;
      client_max_body_size 1m;
      server { listen 80 default_server; location /healthz { return 200; } location / { return 404 "default backend - 404"; } }
      server {
        server_name www.shop.example;
        listen 80;
        ${2:-}
        location / { ${3:-} proxy_set_header Host \$host; proxy_pass http://$upstream:8080; }
      }
    }
---
apiVersion: v1
kind: Pod
metadata:
  name: ingress-nginx-controller
  namespace: ingress-nginx
  labels: {app.kubernetes.io/name: ingress-nginx, app.kubernetes.io/component: controller}
spec:
  nodeName: n1
  containers:
  - name: controller
    image: registry.k8s.io/ingress-nginx/nginx:v1
    command: [nginx, -c, /etc/nginx-lab/nginx.conf]
    ports: [{name: http, containerPort: 80}, {name: https, containerPort: 443}]
    readinessProbe: {httpGet: {path: /healthz, port: 80}}
    volumeMounts: [{name: conf, mountPath: /etc/nginx-lab}]
  volumes: [{name: conf, configMap: {name: nginx-conf}}]
YAML
	lab patch ingress shop/web-ingress "$(python3 -c 'import json, sys, yaml; print(json.dumps({"spec": yaml.safe_load(sys.argv[1])}))' "$rules")"
	eventually 10 test "$(http_status ext http://192.168.50.11:30081/healthz)" = 200
}
# stand_in: key and self-signed certificate as the controller makes them for a host it has no Secret for, as a YAML string.
stand_in() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout - -days 30 -addext subjectAltName=DNS:ingress.local \
		-subj "/O=Acme Co/CN=Kubernetes Ingress Controller Fake Certificate" 2>/dev/null | python3 -c 'import json, sys; print(json.dumps(sys.stdin.read()))'
}
# asked URL…: the status a client outside gets from the controller for host www.shop.example.
asked() { "$LAB" exec ext -- curl -s -o /dev/null -m 5 -w '%{http_code}' -H 'Host: www.shop.example' "$@"; }
