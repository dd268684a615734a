package api

import (
	"bufio"
	"encoding/hex"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// maxSocketPath is what sun_path holds, less its end.
const maxSocketPath = 107

// peerProcess returns process and user at the other end of a Unix connection, as the
// kernel noted them when it connected.
func peerProcess(c net.Conn) (pid, uid int, err error) {
	raw, err := c.(*net.UnixConn).SyscallConn()
	if err != nil {
		return 0, 0, err
	}
	var cred *unix.Ucred
	var failed error
	if err := raw.Control(func(fd uintptr) {
		cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return 0, 0, err
	}
	if failed != nil {
		return 0, 0, failed
	}
	return int(cred.Pid), int(cred.Uid), nil
}

// tcpOwner finds the user of the socket whose own end is client and whose other end
// is server in the kernel's tables. A dual-stack client stands in tcp6.
func tcpOwner(client, server net.Addr) (uid int, known bool) {
	c, s := client.(*net.TCPAddr), server.(*net.TCPAddr)
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		wide := strings.HasSuffix(table, "6")
		if uid, known = findOwner(table, procAddr(c, wide), procAddr(s, wide)); known {
			return uid, true
		}
	}
	return 0, false
}

func findOwner(table, local, remote string) (int, bool) {
	f, err := os.Open(table)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	const established = "01"
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		// sl local_address rem_address st tx:rx tr:when retrnsmt uid …
		col := strings.Fields(lines.Text())
		if len(col) > 7 && col[1] == local && col[2] == remote && col[3] == established {
			uid, err := strconv.Atoi(col[7])
			return uid, err == nil
		}
	}
	return 0, false
}

// procAddr writes an address as the tables do: 32-bit words in host order
// (little-endian on every platform that groove is built for), port as hex.
func procAddr(a *net.TCPAddr, wide bool) string {
	addr := a.AddrPort().Addr()
	var raw []byte
	if wide {
		b := netip.AddrFrom16(addr.As16()).As16()
		raw = b[:]
	} else {
		addr = addr.Unmap()
		if !addr.Is4() {
			return ""
		}
		b := addr.As4()
		raw = b[:]
	}
	for word := range slices.Chunk(raw, 4) {
		slices.Reverse(word)
	}
	port := strings.ToUpper(strconv.FormatUint(uint64(a.AddrPort().Port())+0x10000, 16))[1:]
	return strings.ToUpper(hex.EncodeToString(raw)) + ":" + port
}
