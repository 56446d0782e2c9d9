// The work of floor.cc with vishvananda/netlink, for scripts/bench/bulk.mjs. Usage: bulk-go N POLICY FORM. FORM 'cni': the package's functions,
// the thread going back and forth and every link looked up by name, as plugins do; 'handles': one handle outside, one in each namespace.
package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

const perBridge = 1000

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func gateway(i int) net.IP { return net.IPv4(10, byte(100+i/perBridge), 0, 1).To4() }

func address(i int) *netlink.Addr {
	n := i % perBridge
	ip := net.IPv4(10, byte(100+i/perBridge), byte(n/250+1), byte(n%250+1)).To4()
	return &netlink.Addr{IPNet: &net.IPNet{IP: ip, Mask: net.CIDRMask(16, 32)}}
}

func mac(side, i int) net.HardwareAddr {
	return net.HardwareAddr{2, byte(side), 0, 0, byte(i >> 8), byte(i)}
}

func port(i int) string { return fmt.Sprintf("bp%d", i) }

// The calling thread's namespace has the setting.
func setting(link, name string) {
	must(os.WriteFile(filepath.Join("/proc/sys/net/ipv6/conf", link, name), []byte("1"), 0))
}

func cable(i int, host netns.NsHandle) *netlink.Veth {
	attributes := netlink.NewLinkAttrs()
	attributes.Name = "eth0"
	attributes.HardwareAddr = mac(1, i)
	return &netlink.Veth{LinkAttrs: attributes, PeerName: port(i), PeerHardwareAddr: mac(2, i), PeerNamespace: netlink.NsFd(int(host))}
}

func bridges(count int) []*netlink.Bridge {
	var made []*netlink.Bridge
	for i := 0; i < count; i += perBridge {
		attributes := netlink.NewLinkAttrs()
		attributes.Name = fmt.Sprintf("bench%d", len(made))
		attributes.HardwareAddr = mac(3, len(made))
		bridge := &netlink.Bridge{LinkAttrs: attributes}
		must(netlink.LinkAdd(bridge))
		must(netlink.LinkSetUp(bridge))
		must(netlink.AddrAdd(bridge, &netlink.Addr{IPNet: &net.IPNet{IP: gateway(i), Mask: net.CIDRMask(16, 32)}}))
		made = append(made, bridge)
	}
	return made
}

// The thread is inside, and outside when it returns.
func asPlugins(i int, quiet bool, host, inside netns.NsHandle, bridge netlink.Link) {
	find := func(name string) netlink.Link {
		link, err := netlink.LinkByName(name)
		must(err)
		return link
	}
	must(netlink.LinkSetUp(find("lo")))
	must(netlink.LinkAdd(cable(i, host)))
	if quiet {
		setting("eth0", "addr_gen_mode")
	}
	must(netns.Set(host))
	if quiet {
		setting(port(i), "disable_ipv6")
	}
	must(netlink.LinkSetUp(find(port(i))))
	must(netlink.LinkSetMaster(find(port(i)), bridge))
	must(netns.Set(inside))
	eth0 := find("eth0")
	must(netlink.LinkSetUp(eth0))
	must(netlink.AddrAdd(eth0, address(i)))
	must(netlink.RouteAdd(&netlink.Route{LinkIndex: eth0.Attrs().Index, Gw: gateway(i)}))
	must(netns.Set(host))
}

func withHandles(i int, quiet bool, host netns.NsHandle, outside *netlink.Handle, bridge netlink.Link) {
	handle, err := netlink.NewHandle(syscall.NETLINK_ROUTE)
	must(err)
	defer handle.Delete()
	lo := netlink.NewLinkAttrs()
	lo.Index = 1
	must(handle.LinkSetUp(&netlink.Dummy{LinkAttrs: lo}))
	eth0 := cable(i, host)
	must(handle.LinkAdd(eth0))
	if quiet {
		setting("eth0", "addr_gen_mode")
	}
	must(handle.LinkSetUp(eth0))
	must(handle.AddrAdd(eth0, address(i)))
	must(handle.RouteAdd(&netlink.Route{LinkIndex: eth0.Attrs().Index, Gw: gateway(i)}))
	must(netns.Set(host))
	if quiet {
		setting(port(i), "disable_ipv6")
	}
	end, err := outside.LinkByName(port(i))
	must(err)
	must(outside.LinkSetMaster(end, bridge))
	must(outside.LinkSetUp(end))
}

func links() int {
	text, err := os.ReadFile("/proc/thread-self/net/dev")
	must(err)
	return strings.Count(string(text), "\n") - 2
}

func processor() time.Duration {
	var used syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func main() {
	runtime.LockOSThread()
	count, err := strconv.Atoi(os.Args[1])
	must(err)
	quiet, form := os.Args[2] == "none", os.Args[3]
	host, err := netns.Get()
	must(err)
	start, startProcessor := time.Now(), processor()
	made := bridges(count)
	outside, err := netlink.NewHandle(syscall.NETLINK_ROUTE)
	must(err)
	for i := 0; i < count; i++ {
		inside, err := netns.NewNamed(fmt.Sprintf("b%d", i))
		must(err)
		if form == "cni" {
			asPlugins(i, quiet, host, inside, made[i/perBridge])
		} else {
			withHandles(i, quiet, host, outside, made[i/perBridge])
		}
		must(inside.Close())
	}
	created, createdProcessor := time.Now(), processor()
	for i := 0; i < count; i++ {
		must(netns.DeleteNamed(fmt.Sprintf("b%d", i)))
	}
	for _, bridge := range made {
		must(netlink.LinkDel(bridge))
	}
	removed, removedProcessor := time.Now(), processor()
	for links() > 1 {
		time.Sleep(2 * time.Millisecond)
	}
	each := func(time time.Duration) float64 { return float64(time.Nanoseconds()) / 1e3 / float64(count) }
	fmt.Printf("{\"create\":%.1f,\"createCpu\":%.1f,\"remove\":%.1f,\"removeCpu\":%.1f,\"gone\":%.1f}\n", each(created.Sub(start)),
		each(createdProcessor-startProcessor), each(removed.Sub(created)), each(removedProcessor-createdProcessor), each(time.Since(created)))
}
