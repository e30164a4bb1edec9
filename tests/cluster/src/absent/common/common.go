// Package common stands in for a cloud's SDK, so that flannel's own main program builds without that cloud's backend.
package common

func StringPtr(s string) *string { return &s }

func StringPtrs(list []string) []*string {
	var out []*string
	for i := range list {
		out = append(out, &list[i])
	}
	return out
}

func BoolPtr(b bool) *bool { return &b }
