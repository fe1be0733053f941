// grpcload calls Kv.Get of a catalogd over gRPC, or reads its feed from the beginning, and prints
// requests (changes) per second. Messages are packed by hand: the wire is all that is measured.
//
//	grpcload -address 127.0.0.1:8504 -op get -clients 64 -seconds 5 -keys 100000
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"sort"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protowire"
)

var (
	address = flag.String("address", "127.0.0.1:8504", "of the catalogd")
	op      = flag.String("op", "get", "get or feed")
	clients = flag.Int("clients", 64, "requests under way at a time")
	conns   = flag.Int("conns", 8, "gRPC connections that they share")
	seconds = flag.Float64("seconds", 5, "how long")
	keys    = flag.Int("keys", 100000, "how many keys; of the feed: how many changes to wait for")
)

// Messages as bytes.
type raw struct{}

func (raw) Name() string                    { return "proto" }
func (raw) Marshal(v any) ([]byte, error)   { return *v.(*[]byte), nil }
func (raw) Unmarshal(b []byte, v any) error { *v.(*[]byte) = append([]byte(nil), b...); return nil }
func bytesField(n protowire.Number, b []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, n, protowire.BytesType), b)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func dial() *grpc.ClientConn {
	c, err := grpc.Dial(*address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithBlock(),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{}), grpc.MaxCallRecvMsgSize(64<<20)))
	if err != nil {
		fail(err)
	}
	return c
}

// How often field n stands in the message.
func count(message []byte, n protowire.Number) (found int) {
	for len(message) > 0 {
		number, kind, at := protowire.ConsumeTag(message)
		if at < 0 {
			fail(protowire.ParseError(at))
		}
		size := protowire.ConsumeFieldValue(number, kind, message[at:])
		if size < 0 {
			fail(protowire.ParseError(size))
		}
		if number == n {
			found++
		}
		message = message[at+size:]
	}
	return found
}

func get(c *grpc.ClientConn, id int, end time.Time, out *[]time.Duration) {
	random := rand.New(rand.NewSource(int64(id)))
	for time.Now().Before(end) {
		start := time.Now()
		in, reply := bytesField(2, []byte(fmt.Sprintf("bench/%07d", random.Intn(*keys)))), []byte{}
		if err := c.Invoke(context.Background(), "/curia.v1.Kv/Get", &in, &reply); err != nil {
			fail(err)
		}
		if count(reply, 2) != 1 {
			fail(fmt.Errorf("no such key"))
		}
		*out = append(*out, time.Since(start))
	}
}

func gets() ([]time.Duration, float64) {
	var all []*grpc.ClientConn
	for i := 0; i < *conns && i < *clients; i++ {
		all = append(all, dial())
	}
	took := make([][]time.Duration, *clients)
	begin, group := time.Now(), sync.WaitGroup{}
	end := begin.Add(time.Duration(*seconds * float64(time.Second)))
	for i := 0; i < *clients; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			get(all[i%len(all)], i, end, &took[i])
		}(i)
	}
	group.Wait()
	var sorted []time.Duration
	for _, t := range took {
		sorted = append(sorted, t...)
	}
	sort.Slice(sorted, func(a, b int) bool { return sorted[a] < sorted[b] })
	return sorted, time.Since(begin).Seconds()
}

// From the retained beginning until as many changes have come.
func feed() (changes int, size int, spent float64) {
	begin := time.Now()
	stream, err := dial().NewStream(context.Background(), &grpc.StreamDesc{ServerStreams: true},
		"/curia.v1.Feed/Follow")
	if err != nil {
		fail(err)
	}
	in := bytesField(1, []byte("kv"))
	if err := stream.SendMsg(&in); err != nil {
		fail(err)
	}
	if err := stream.CloseSend(); err != nil {
		fail(err)
	}
	for changes < *keys {
		reply := []byte{}
		if err := stream.RecvMsg(&reply); err != nil {
			fail(err)
		}
		changes += count(reply, 2)
		size += len(reply)
	}
	return changes, size, time.Since(begin).Seconds()
}

func main() {
	flag.Parse()
	result := map[string]float64{}
	if *op == "feed" {
		changes, size, spent := feed()
		result["requests"], result["seconds"] = float64(changes), spent
		result["bytes"] = float64(size)
		result["rps"] = float64(changes) / spent
	} else {
		sorted, spent := gets()
		at := func(p float64) float64 { return sorted[int(p*float64(len(sorted)-1))].Seconds() * 1e3 }
		result["requests"], result["rps"] = float64(len(sorted)), float64(len(sorted))/spent
		result["p50_ms"], result["p99_ms"] = at(0.5), at(0.99)
	}
	json.NewEncoder(os.Stdout).Encode(result)
}
