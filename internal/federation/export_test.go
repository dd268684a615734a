package federation

// JunkTime is how long junk holds its source back.
const JunkTime = junkTime

// DecodeMessage reads one message of a pairing and returns its who, as sent.
func DecodeMessage(data []byte) (who []byte, err error) {
	m, err := decodeMessage(data)
	if err != nil {
		return nil, err
	}
	return m.Who, nil
}

// WordsOf and CommitmentOf are pure.
var (
	WordsOf      = wordsOf
	CommitmentOf = commitmentOf
)
