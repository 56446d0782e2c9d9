// The reading side of vishvananda/netlink, for scripts/bench/read.mjs: reads "OPERATION TIMES ARGUMENT" lines, answers each with a line of JSON.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
)

type answer struct {
	// Microseconds of each call.
	Times []float64 `json:"times"`
	// Microseconds of processor time of them all.
	CPU   int64 `json:"cpu"`
	Count int   `json:"count"`
}

func cpu() int64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return (used.Utime.Sec+used.Stime.Sec)*1_000_000 + used.Utime.Usec + used.Stime.Usec
}

func run(handle *netlink.Handle, operation, argument string) (int, error) {
	switch operation {
	case "links":
		links, err := handle.LinkList()
		return len(links), err
	case "routes":
		routes, err := handle.RouteList(nil, netlink.FAMILY_V4)
		return len(routes), err
	case "get":
		_, err := handle.LinkByName(argument)
		return 1, err
	}
	return 0, fmt.Errorf("no operation %q", operation)
}

func main() {
	// Keeps its socket; the package's functions open one for each call.
	handle, err := netlink.NewHandle(syscall.NETLINK_ROUTE)
	if err != nil {
		panic(err)
	}
	output := json.NewEncoder(os.Stdout)
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		var operation, argument string
		var times int
		if n, err := fmt.Sscan(input.Text(), &operation, &times, &argument); n < 2 {
			panic(err)
		}
		result := answer{Times: []float64{}}
		before := cpu()
		for i := 0; i < times; i++ {
			start := time.Now()
			count, err := run(handle, operation, argument)
			result.Times = append(result.Times, float64(time.Since(start).Nanoseconds())/1000)
			if err != nil {
				panic(err)
			}
			result.Count = count
		}
		result.CPU = cpu() - before
		if err := output.Encode(result); err != nil {
			panic(err)
		}
	}
}
