// Prometheus' own discovery by Consul, as `consul_sd_configs` runs it (Debian's prometheus is built without it).
// Takes one entry of that list; prints every update as a line of JSON: for each source (a service) the labels of its
// targets.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/go-kit/log"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/discovery/consul"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"gopkg.in/yaml.v2"
)

func main() {
	var config consul.SDConfig
	err := yaml.UnmarshalStrict([]byte(os.Args[1]), &config)
	if err == nil {
		err = run(&config)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func run(config *consul.SDConfig) error {
	found, err := config.NewDiscoverer(discovery.DiscovererOptions{Logger: log.NewLogfmtLogger(os.Stderr)})
	if err != nil {
		return err
	}
	updates := make(chan []*targetgroup.Group)
	go found.Run(context.Background(), updates)
	out := json.NewEncoder(os.Stdout)
	for groups := range updates {
		update := map[string]interface{}{}
		for _, group := range groups {
			targets := []model.LabelSet{}
			for _, target := range group.Targets {
				targets = append(targets, group.Labels.Merge(target))
			}
			update[group.Source] = targets
		}
		if err := out.Encode(update); err != nil {
			return err
		}
	}
	return nil
}
