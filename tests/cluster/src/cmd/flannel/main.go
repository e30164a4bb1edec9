// Command flannel is the CNI plugin of that name: it reads what flanneld leased to this node and has the bridge plugin make
// the pod's network of it. The project's own plugin is not served by the module proxy; this one takes the same configuration
// and keeps the same files (/run/flannel/subnet.env, /var/lib/cni/flannel).
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/containernetworking/cni/pkg/invoke"
	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"
	"github.com/containernetworking/cni/pkg/version"
)

const (
	defaultLease = "/run/flannel/subnet.env"
	defaultState = "/var/lib/cni/flannel"
)

type config struct {
	types.NetConf
	SubnetFile    string                 `json:"subnetFile"`
	DataDir       string                 `json:"dataDir"`
	Delegate      map[string]interface{} `json:"delegate"`
	RuntimeConfig map[string]interface{} `json:"runtimeConfig,omitempty"`
}

func parse(data []byte) (*config, error) {
	c := &config{SubnetFile: defaultLease, DataDir: defaultState}
	if err := json.Unmarshal(data, c); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if c.Delegate == nil {
		c.Delegate = map[string]interface{}{}
	}
	return c, nil
}

// lease reads KEY=VALUE lines.
func lease(path string) (map[string]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("loadFlannelSubnetEnv failed: %w", err)
	}
	defer file.Close()
	values := map[string]string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), "="); ok {
			values[key] = value
		}
	}
	return values, nil
}

func setDefault(m map[string]interface{}, key string, value interface{}) {
	if _, ok := m[key]; !ok {
		m[key] = value
	}
}

// delegate is the bridge plugin's configuration for this node.
func delegate(c *config) ([]byte, error) {
	env, err := lease(c.SubnetFile)
	if err != nil {
		return nil, err
	}
	d := c.Delegate
	d["name"], d["cniVersion"] = c.Name, c.CNIVersion
	setDefault(d, "type", "bridge")
	setDefault(d, "isGateway", true)
	setDefault(d, "ipMasq", env["FLANNEL_IPMASQ"] != "true")
	if mtu, err := strconv.Atoi(env["FLANNEL_MTU"]); err == nil {
		setDefault(d, "mtu", mtu)
	}
	if c.RuntimeConfig != nil {
		d["runtimeConfig"] = c.RuntimeConfig
	}
	ranges, routes := []interface{}{}, []interface{}{}
	for _, family := range [][2]string{{"FLANNEL_SUBNET", "FLANNEL_NETWORK"}, {"FLANNEL_IPV6_SUBNET", "FLANNEL_IPV6_NETWORK"}} {
		if env[family[0]] == "" {
			continue
		}
		_, subnet, err := net.ParseCIDR(env[family[0]]) // the lease is written with the bridge's address
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.SubnetFile, err)
		}
		ranges = append(ranges, []interface{}{map[string]interface{}{"subnet": subnet.String()}})
		routes = append(routes, map[string]interface{}{"dst": env[family[1]]})
	}
	if len(ranges) == 0 {
		return nil, fmt.Errorf("%s names no subnet", c.SubnetFile)
	}
	d["ipam"] = map[string]interface{}{"type": "host-local", "ranges": ranges, "routes": routes}
	return json.Marshal(d)
}

func add(args *skel.CmdArgs) error {
	c, err := parse(args.StdinData)
	if err != nil {
		return err
	}
	conf, err := delegate(c)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(c.DataDir, args.ContainerID), conf, 0o600); err != nil {
		return err
	}
	result, err := invoke.DelegateAdd(context.TODO(), c.Delegate["type"].(string), conf, nil)
	if err != nil {
		return err
	}
	return result.Print()
}

func del(args *skel.CmdArgs) error {
	c, err := parse(args.StdinData)
	if err != nil {
		return err
	}
	kept := filepath.Join(c.DataDir, args.ContainerID)
	conf, err := os.ReadFile(kept)
	if os.IsNotExist(err) {
		return nil // never made, or removed before
	}
	if err != nil {
		return err
	}
	var d struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(conf, &d); err != nil {
		return err
	}
	if err := invoke.DelegateDel(context.TODO(), d.Type, conf, nil); err != nil {
		return err
	}
	return os.Remove(kept)
}

func nothing(*skel.CmdArgs) error { return nil }

func main() {
	skel.PluginMainFuncs(skel.CNIFuncs{Add: add, Del: del, Check: nothing}, version.All, "CNI plugin flannel of the packetwalk lab")
}
