// Command bench measures what the project promises of speed and size, on the real
// binary: two daemons in processes of their own, on 127.0.0.1 and 127.0.0.2, with
// homes on the disk of this checkout, paired and with a job open between them.
//
// It stands outside the hall and looks in from two sides. Load goes in as a user's
// calls do, over the Unix socket. What became of it is read from the daemons' own
// stores over read-only connections: a row that another process can read has been
// synced, since SQLite shows a commit only after its sync. It asks when inotify tells of
// a write to the store's log, so that it takes the daemons no time in between.
//
// Each measurement starts two new daemons. Floors are measured in the same run: what
// the machine takes for the least that the promise needs. Results go to
// bench/latest.json, whole runs alone: not those of -quick.
package main
