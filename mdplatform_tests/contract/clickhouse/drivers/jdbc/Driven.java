import java.sql.*;
import java.util.*;

// The official JDBC driver: compression by default, metadata, types, prepared inserts, errors.
public class Driven {
    public static void main(String[] args) throws Exception {
        Properties login = new Properties();
        login.setProperty("user", args[1]);
        login.setProperty("password", args[2]);
        try (Connection connection = DriverManager.getConnection("jdbc:ch://" + args[0] + "/default", login)) {
            DatabaseMetaData about = connection.getMetaData();
            System.out.println(about.getDatabaseProductName() + " " + about.getDriverVersion());
            try (Statement statement = connection.createStatement()) {
                statement.execute("CREATE TABLE of_jdbc (n UInt32, price Float64, name String, at DateTime64(3, 'UTC'), gone Nullable(Int64), sizes Array(Float64), exact Decimal(18, 4), kind LowCardinality(String)) ENGINE = MergeTree ORDER BY n");
            }
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO of_jdbc (n, price, name, at, gone, exact, kind) VALUES (?, ?, ?, ?, ?, ?, ?)")) {
                for (int n = 0; n < 1000; n++) {
                    insert.setInt(1, n);
                    insert.setDouble(2, 60000.1 + n);
                    insert.setString(3, "it's \\ " + n);
                    insert.setTimestamp(4, Timestamp.from(java.time.Instant.ofEpochMilli(1700000000000L + n)));
                    if (n % 2 == 0) insert.setNull(5, Types.BIGINT); else insert.setLong(5, n);
                    insert.setBigDecimal(6, new java.math.BigDecimal("1.2345"));
                    insert.setString(7, "trade");
                    insert.addBatch();
                }
                insert.executeBatch();
            }
            try (ResultSet columns = about.getColumns(null, "default", "of_jdbc", "%")) {
                StringJoiner names = new StringJoiner(" ");
                while (columns.next()) names.add(columns.getString("COLUMN_NAME") + ":" + columns.getString("TYPE_NAME"));
                System.out.println(names);
            }
            try (ResultSet tables = about.getTables(null, "default", "of_jdbc", null)) {
                System.out.println(tables.next() ? tables.getString("TABLE_NAME") : "no table");
            }
            try (PreparedStatement ask = connection.prepareStatement("SELECT count(), sum(n), countIf(gone IS NULL), min(at), max(price), any(exact), any(name) FROM of_jdbc WHERE n < ?")) {
                ask.setInt(1, 1000);
                try (ResultSet found = ask.executeQuery()) {
                    found.next();
                    System.out.println(found.getLong(1) + " " + found.getLong(2) + " " + found.getLong(3) + " " + found.getTimestamp(4).toInstant() + " " + found.getDouble(5) + " " + found.getBigDecimal(6) + " " + found.getString(7));
                }
            }
            try (Statement statement = connection.createStatement(); ResultSet many = statement.executeQuery("SELECT number, toString(number) FROM numbers(300000)")) {
                long sum = 0;
                while (many.next()) sum += many.getLong(1);
                System.out.println(sum);
            }
            try (Statement statement = connection.createStatement()) {
                statement.executeQuery("SELECT nothing FROM of_jdbc");
            } catch (SQLException error) {
                System.out.println(error.getMessage().contains("UNKNOWN_IDENTIFIER") || error.getErrorCode() == 47 ? "an error as it is" : "another error: " + error);
            }
        }
    }
}
