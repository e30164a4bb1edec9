// Command namer is the lab's admission webhook: it gives the pods of a Deployment the names and nodes that scenarios rely on.
//
// A Deployment annotated lab.packetwalk.dev/pods: "api-1=n1,api-2=n2" gets pods of these names on these nodes. A pod is
// refused while all names are taken (its controller tries again), and the Deployment is made to replace pods one after the
// other. Pods of the lab's applications also end, and are probed, without the long defaults.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"strings"
	"sync"

	admission "k8s.io/api/admission/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const placement = "lab.packetwalk.dev/pods"

type change struct {
	Op    string      `json:"op"`
	Path  string      `json:"path"`
	Value interface{} `json:"value,omitempty"`
}

type namer struct {
	sync.Mutex
	client kubernetes.Interface
	// given: names handed out that the API may not show yet; by namespace/name, the pod's request.
	given map[string]meta.Time
}

func (n *namer) owner(r *http.Request, pod *core.Pod, namespace string) map[string]string {
	for _, o := range pod.OwnerReferences {
		if o.Kind != "ReplicaSet" {
			continue
		}
		if rs, err := n.client.AppsV1().ReplicaSets(namespace).Get(r.Context(), o.Name, meta.GetOptions{}); err == nil {
			return rs.Annotations
		}
	}
	return nil
}

// name gives the first free name of the list; "" when the pod needs none.
func (n *namer) name(r *http.Request, pod *core.Pod, namespace string) (name, node string, err error) {
	list := n.owner(r, pod, namespace)[placement]
	if list == "" || pod.Name != "" {
		return "", "", nil
	}
	n.Lock()
	defer n.Unlock()
	for _, item := range strings.Split(list, ",") {
		name, node, _ = strings.Cut(item, "=")
		key := namespace + "/" + name
		_, err := n.client.CoreV1().Pods(namespace).Get(r.Context(), name, meta.GetOptions{})
		now := meta.Now()
		before := n.given[key]
		if apierrors.IsNotFound(err) && now.Sub(before.Time) > 1e9 {
			n.given[key] = now
			return name, node, nil
		}
	}
	return "", "", fmt.Errorf("all of %s are taken", list)
}

func quick(pod *core.Pod) (changes []change) {
	if pod.Spec.TerminationGracePeriodSeconds == nil || *pod.Spec.TerminationGracePeriodSeconds == core.DefaultTerminationGracePeriodSeconds {
		changes = append(changes, change{"add", "/spec/terminationGracePeriodSeconds", 1})
	}
	for i, c := range pod.Spec.Containers {
		if c.ReadinessProbe != nil && c.ReadinessProbe.PeriodSeconds == 10 {
			changes = append(changes, change{"add", fmt.Sprintf("/spec/containers/%d/readinessProbe/periodSeconds", i), 2})
		}
	}
	return changes
}

func (n *namer) pod(r *http.Request, request *admission.AdmissionRequest) ([]change, error) {
	var pod core.Pod
	if err := json.Unmarshal(request.Object.Raw, &pod); err != nil {
		return nil, err
	}
	changes := quick(&pod)
	name, node, err := n.name(r, &pod, request.Namespace)
	if err != nil || name == "" {
		return changes, err
	}
	return append(changes, change{"add", "/metadata/name", name}, change{"add", "/spec/nodeSelector",
		map[string]string{"kubernetes.io/hostname": node}}), nil
}

func deployment(request *admission.AdmissionRequest) ([]change, error) {
	var d apps.Deployment
	if err := json.Unmarshal(request.Object.Raw, &d); err != nil {
		return nil, err
	}
	if d.Annotations[placement] == "" {
		return nil, nil
	}
	return []change{{"add", "/spec/strategy", map[string]string{"type": "Recreate"}}}, nil
}

func (n *namer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var review admission.AdmissionReview
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil || review.Request == nil {
		http.Error(w, "not an AdmissionReview", http.StatusBadRequest)
		return
	}
	var changes []change
	var err error
	if review.Request.Kind.Kind == "Pod" {
		changes, err = n.pod(r, review.Request)
	} else {
		changes, err = deployment(review.Request)
	}
	review.Response = &admission.AdmissionResponse{UID: review.Request.UID, Allowed: err == nil}
	if err != nil {
		review.Response.Result = &meta.Status{Message: err.Error(), Code: http.StatusConflict}
	} else if len(changes) > 0 {
		kind := admission.PatchTypeJSONPatch
		review.Response.PatchType = &kind
		review.Response.Patch, _ = json.Marshal(changes)
	}
	review.Request = nil
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(review); err != nil {
		log.Print(err)
	}
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "how to reach the API")
	listen := flag.String("listen", "127.0.0.1:9443", "address")
	cert, key := flag.String("cert", "", "certificate"), flag.String("key", "", "its key")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	config.QPS, config.Burst = 100, 200
	handler := &namer{client: kubernetes.NewForConfigOrDie(config), given: map[string]meta.Time{}}
	log.Fatal(http.ListenAndServeTLS(*listen, *cert, *key, handler))
}
