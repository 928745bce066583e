// Package main tries ClickHouse's Go driver over HTTP: compression, types, batches, errors.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func main() {
	methods := map[string]clickhouse.CompressionMethod{
		"lz4": clickhouse.CompressionLZ4, "zstd": clickhouse.CompressionZSTD,
		"gzip": clickhouse.CompressionGZIP, "none": clickhouse.CompressionNone,
	}
	connection, err := clickhouse.Open(&clickhouse.Options{
		Protocol:    clickhouse.HTTP,
		Addr:        []string{os.Args[1]},
		Auth:        clickhouse.Auth{Database: "default", Username: os.Args[2], Password: os.Args[3]},
		Compression: &clickhouse.Compression{Method: methods[os.Args[4]], Level: 3},
	})
	check(err)
	ctx := context.Background()
	check(connection.Ping(ctx))
	check(connection.Exec(ctx, "DROP TABLE IF EXISTS of_go"))
	check(connection.Exec(ctx, "CREATE TABLE of_go (n UInt32, price Float64, name String, at DateTime64(3, 'UTC'), gone Nullable(Int64), sizes Array(Float64), kind LowCardinality(String)) ENGINE = MergeTree ORDER BY n"))
	batch, err := connection.PrepareBatch(ctx, "INSERT INTO of_go")
	check(err)
	for n := range 1000 {
		var gone *int64
		if n%2 == 1 {
			known := int64(n)
			gone = &known
		}
		check(batch.Append(uint32(n), 60000.1+float64(n), fmt.Sprint("it's ", n), time.UnixMilli(1700000000000+int64(n)), gone, []float64{1.5, 2}, "trade"))
	}
	check(batch.Send())
	var count, sum, unknown uint64
	var first time.Time
	var sizes []float64
	row := connection.QueryRow(ctx, "SELECT count(), sum(n), countIf(gone IS NULL), min(at), any(sizes) FROM of_go WHERE n < ?", 1000)
	check(row.Scan(&count, &sum, &unknown, &first, &sizes))
	fmt.Println(count, sum, unknown, first.UTC().Format(time.RFC3339), sizes)
	rows, err := connection.Query(ctx, "SELECT number, toString(number) FROM numbers(300000)")
	check(err)
	var number, total uint64
	var text string
	for rows.Next() {
		check(rows.Scan(&number, &text))
		total += number
	}
	check(rows.Err())
	fmt.Println(total)
	var exception *clickhouse.Exception
	err = connection.Exec(ctx, "SELECT nothing FROM of_go")
	if errors.As(err, &exception) && exception.Code == 47 {
		fmt.Println("an error as it is")
	} else {
		fmt.Println("another error:", err)
	}
}
