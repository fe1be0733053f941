// etcdload puts or gets random keys of an etcd over gRPC and prints requests per second and the
// latencies, so that Curia stands beside a peer in the same run.
//
//	etcdload -endpoints http://127.0.0.1:2379 -op put -clients 64 -seconds 5 -keys 100000
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

var (
	endpoints = flag.String("endpoints", "http://127.0.0.1:2379", "comma separated")
	op        = flag.String("op", "put", "put, get (linearizable) or fill (each key once)")
	clients   = flag.Int("clients", 64, "requests under way at a time")
	conns     = flag.Int("conns", 8, "gRPC connections that they share")
	seconds   = flag.Float64("seconds", 5, "how long")
	keys      = flag.Int("keys", 100000, "how many keys")
	size      = flag.Int("size", 128, "bytes of a value")
)

func request(ctx context.Context, c *clientv3.Client, i int, value string) error {
	key := fmt.Sprintf("bench/%07d", i)
	if *op == "get" {
		_, err := c.Get(ctx, key)
		return err
	}
	_, err := c.Put(ctx, key, value)
	return err
}

func work(c *clientv3.Client, id int, end time.Time, out *[]time.Duration) error {
	random, value := rand.New(rand.NewSource(int64(id))), strings.Repeat("v", *size)
	for n := id; ; n += *clients {
		start := time.Now()
		pick := random.Intn(*keys)
		if *op == "fill" {
			if pick = n; n >= *keys {
				return nil
			}
		} else if start.After(end) {
			return nil
		}
		if err := request(context.Background(), c, pick, value); err != nil {
			return err
		}
		*out = append(*out, time.Since(start))
	}
}

func main() {
	flag.Parse()
	var all []*clientv3.Client
	for i := 0; i < *conns && i < *clients; i++ {
		c, err := clientv3.New(clientv3.Config{Endpoints: strings.Split(*endpoints, ","),
			DialTimeout: 5 * time.Second})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		all = append(all, c)
	}
	took := make([][]time.Duration, *clients)
	begin, group := time.Now(), sync.WaitGroup{}
	end := begin.Add(time.Duration(*seconds * float64(time.Second)))
	for i := 0; i < *clients; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			if err := work(all[i%len(all)], i, end, &took[i]); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}(i)
	}
	group.Wait()
	spent := time.Since(begin).Seconds()
	var sorted []time.Duration
	for _, t := range took {
		sorted = append(sorted, t...)
	}
	sort.Slice(sorted, func(a, b int) bool { return sorted[a] < sorted[b] })
	at := func(p float64) float64 { return sorted[int(p*float64(len(sorted)-1))].Seconds() * 1e3 }
	json.NewEncoder(os.Stdout).Encode(map[string]float64{"requests": float64(len(sorted)),
		"rps": float64(len(sorted)) / spent, "p50_ms": at(0.5), "p99_ms": at(0.99)})
}
