package schema_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"groove/internal/groove"
	"groove/internal/schema"
)

func BenchmarkSchemaMessage(b *testing.B) {
	raw := json.RawMessage(`{"text":"` + strings.Repeat("agents talk about code. ", 42) + `\n"}`)
	bench(b, raw, 1, schema.Message)
}

func BenchmarkSchemaMessageGeneral(b *testing.B) {
	raw := json.RawMessage(`{ "text":"` + strings.Repeat("agents talk about code. ", 42) + `\n"}`)
	bench(b, raw, 1, schema.Message)
}

func BenchmarkSchemaReceipts(b *testing.B) {
	bench(b, manyReceipts(b), 512, schema.Receipts)
}

func BenchmarkEncodeMessage(b *testing.B) {
	m := &groove.Message{Text: strings.Repeat("agents talk about code.\n", 42)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := schema.Encode(m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeReceipts(b *testing.B) {
	r, err := schema.Receipts(manyReceipts(b))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := schema.Encode(r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/512, "ns/receipt")
}

func manyReceipts(b *testing.B) json.RawMessage {
	r := groove.Receipts{}
	for i := range 512 {
		r.Receipts = append(r.Receipts, groove.Receipt{N: uint64(i + 1), ID: fmt.Sprintf("0198c0de-0000-7000-8000-%012d", i), State: groove.ReceiptStored})
	}
	raw, err := schema.Encode(&r)
	if err != nil {
		b.Fatal(err)
	}
	return raw
}

func bench[T any](b *testing.B, raw json.RawMessage, items int, read func(json.RawMessage) (*T, error)) {
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := read(raw); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(items), "ns/item")
}
