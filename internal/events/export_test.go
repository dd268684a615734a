package events

// SetQueue changes how many batches may wait for a reader that comes from now on.
func (l *Log) SetQueue(n int) { l.queue = n }
