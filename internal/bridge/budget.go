package bridge

import (
	"fmt"

	"groove/internal/groove"
	"groove/internal/store"
)

// standing is the leg's row. With a budget it is read anew in tx: an envelope of the same
// frame may have used it up.
func (l *leg) standing(tx *store.Tx) (legRow, error) {
	if l.contract != nil && l.contract.Budget != nil {
		return readLeg(tx, l.pk)
	}
	row, _ := l.snapshot()
	return row, nil
}

// spend charges an accepted message to the contract's budget and pauses the job when that
// is used up. The message that reaches the bound is the last.
func (l *leg) spend(tx *store.Tx, bytes int64) error {
	if l.contract.Budget == nil {
		return nil
	}
	budget := *l.contract.Budget
	var spent groove.Budget
	if err := l.change(tx, "", func(r *legRow) {
		r.spent.Messages, r.spent.Bytes = r.spent.Messages+1, r.spent.Bytes+bytes
		spent = r.spent
	}); err != nil {
		return err
	}
	if budget.Messages > 0 && spent.Messages >= budget.Messages || budget.Bytes > 0 && spent.Bytes >= budget.Bytes {
		return l.pausing(tx, pauseBudget, fmt.Sprintf("%d messages, %d bytes came", spent.Messages, spent.Bytes))
	}
	return nil
}
