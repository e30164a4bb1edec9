# When have the pods followed a change? Asked of the API's objects; what follows later (rules, names) scenarios wait for.
# shellcheck shell=bash

# Prints what still moves, nothing when all stands still. A controller or a kubelet that is stopped moves nothing.
moving() {
	k get pods,deployments.apps,replicasets.apps -A -o json | jq -r --arg dead "$(dead_nodes)" --arg frozen "$(is_stopped cp.controller-manager && echo yes)" '
		def settled: (.state.terminated != null)
			or ((.state.waiting.reason // "") | test("CrashLoopBackOff|ErrImage|ImagePull|CreateContainerConfigError"))
			or (.state.running != null and (.ready or ((now - (.state.running.startedAt | fromdateiso8601)) > 3)));
		.items[] | . as $o
		| if .kind == "Pod" then
			select(.spec.nodeName as $n | ($dead | split(" ") | index($n) | not))
			| select((.metadata.deletionTimestamp and $frozen != "never")
				or (.spec.nodeName and ([.status.containerStatuses[]? | settled] | (length == 0 or (all | not)))))
		  elif $frozen == "yes" then empty
		  elif .kind == "Deployment" then
			select((.status.observedGeneration // 0) < .metadata.generation or (.status.replicas // 0) != .spec.replicas
				or (.status.updatedReplicas // 0) != .spec.replicas)
		  else
			select((.status.observedGeneration // 0) < .metadata.generation or (.status.replicas // 0) != .spec.replicas)
		  end
		| .kind + " " + .metadata.namespace + "/" + .metadata.name'
}

settle() {
	local end=$((EPOCHSECONDS + 40)) left
	is_stopped cp.apiserver && return
	while left=$(moving) && [ -n "$left" ]; do
		if ((EPOCHSECONDS >= end)); then
			echo "lab: still moving: $left" >&2
			return
		fi
		sleep 0.2
	done
}
