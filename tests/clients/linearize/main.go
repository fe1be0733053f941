// linearize reads histories of single keys, one JSON object a line, and says whether each is
// linearizable. It knows nothing of Curia: the judge is Porcupine.
//
//	{"client":1,"key":"a","op":"put","value":"7","call":100,"return":250,"ok":true}
//	{"client":2,"key":"a","op":"get","value":"7","call":260,"return":300,"ok":true}
//	{"client":3,"key":"a","op":"cas","value":"9","expect":"7","call":1,"return":2,"ok":true,"done":true}
//
// A put or cas whose outcome is not known has "ok": false; it may have happened at any time after
// its call, or never. Reads and refusals without an outcome are not to be in the file. An absent
// key reads as "".
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"
)

type event struct {
	Client int    `json:"client"`
	Key    string `json:"key"`
	Op     string `json:"op"`
	Value  string `json:"value"`
	Expect string `json:"expect"`
	Call   int64  `json:"call"`
	Return int64  `json:"return"`
	OK     bool   `json:"ok"`
	Done   bool   `json:"done"`
}

// register is one key. A write of unknown outcome needs no special case: it returns at the end of
// time, so the checker may place it anywhere after its call, and last means "never seen".
var register = porcupine.Model{
	Init: func() interface{} { return "" },
	Step: func(state, input, output interface{}) (bool, interface{}) {
		e := input.(event)
		switch {
		case e.Op == "get":
			return state.(string) == e.Value, state
		case e.Op == "put":
			return true, e.Value
		case !e.OK: // cas: only the state tells
			if state.(string) == e.Expect {
				return true, e.Value
			}
			return true, state
		case e.Done:
			return state.(string) == e.Expect, e.Value
		default:
			return state.(string) != e.Expect, state
		}
	},
	DescribeOperation: func(input, output interface{}) string {
		e := input.(event)
		return fmt.Sprintf("client %d %s %q (expect %q, ok %v, done %v)", e.Client, e.Op, e.Value,
			e.Expect, e.OK, e.Done)
	},
}

func read(path string) (map[string][]porcupine.Operation, int, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	keys, count := map[string][]porcupine.Operation{}, 0
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 1<<20), 1<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, 0, fmt.Errorf("line %d: %w", count+1, err)
		}
		if !e.OK {
			e.Return = math.MaxInt64
		}
		keys[e.Key] = append(keys[e.Key], porcupine.Operation{ClientId: e.Client, Input: e,
			Call: e.Call, Output: nil, Return: e.Return})
		count++
	}
	return keys, count, lines.Err()
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: linearize HISTORY.jsonl")
		os.Exit(2)
	}
	keys, count, err := read(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	names := make([]string, 0, len(keys))
	for name := range keys {
		names = append(names, name)
	}
	sort.Strings(names)
	bad := 0
	for _, name := range names {
		result, info := porcupine.CheckOperationsVerbose(register, keys[name], time.Minute)
		if result == porcupine.Ok {
			continue
		}
		bad++
		fmt.Printf("key %s: %s (%d operations)\n", name, result, len(keys[name]))
		page := os.Args[1] + "." + fmt.Sprint(bad) + ".html"
		if porcupine.VisualizePath(register, info, page) == nil {
			fmt.Println("drawn in", page)
		}
	}
	fmt.Printf("%d operations on %d keys, %d keys not linearizable\n", count, len(keys), bad)
	if bad > 0 || count == 0 {
		os.Exit(1)
	}
}
