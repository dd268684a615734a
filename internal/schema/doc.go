// Package schema reads and writes the payload of each type and holds every rule
// of docs/protocol.md §11 and §12 about its values: which members there are,
// how long, of which form, and which go together. In the hall it stands after
// replay and before router; on the way out before envelope, with the same rules, so that
// nothing is sent that a peer would refuse. It refuses with payload.invalid and the
// JSON path of what is wrong. It knows no contract, peer or state: whether
// an agent is linked or a path is shown is the router's to say.
package schema
