// vishvananda/netlink for scripts/bench/routes-add.mjs, with one handle. Usage: routes-add-go N.
package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func processor() time.Duration {
	var used syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func main() {
	count, err := strconv.Atoi(os.Args[1])
	must(err)
	start, before := time.Now(), processor()
	handle, err := netlink.NewHandle(syscall.NETLINK_ROUTE)
	must(err)
	for i := 0; i < count; i++ {
		to := &net.IPNet{IP: net.IPv4(byte(20+i>>24), byte(i>>16), byte(i>>8), byte(i)).To4(), Mask: net.CIDRMask(32, 32)}
		must(handle.RouteAdd(&netlink.Route{Dst: to, LinkIndex: 1, Scope: netlink.SCOPE_LINK, Protocol: 4}))
	}
	add, cpu := time.Since(start), processor()-before
	text, err := os.ReadFile("/proc/thread-self/net/route")
	must(err)
	fmt.Printf("{\"add\":%.1f,\"cpu\":%.1f,\"routes\":%d}\n", add.Seconds()*1e3, cpu.Seconds()*1e3, strings.Count(string(text), "\n")-1)
}
