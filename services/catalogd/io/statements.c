#include "services/catalogd/io/statements.h"

/* clang-format off */

#define TABLE(name)                                                                                \
    "CREATE TABLE " name " (key BLOB PRIMARY KEY, row BLOB NOT NULL,"                              \
    " create_index INTEGER NOT NULL, modify_index INTEGER NOT NULL, hash BLOB NOT NULL)"           \
    " WITHOUT ROWID;"

const struct cu_sql catalog_migrations[CATALOG_SCHEMA_VERSION] = {
    {"version 1",
     TABLE("kv")
     TABLE("tombstones")
     TABLE("settings")
     /* place: the index, then 24 bits of the number. A rowid, so that appending fills each page and
      * leaves the ones before it alone. */
     "CREATE TABLE changes (place INTEGER PRIMARY KEY, tab INTEGER NOT NULL,"
     " key BLOB NOT NULL, operation INTEGER NOT NULL, before BLOB NOT NULL, before_hash BLOB,"
     " actor TEXT NOT NULL, node TEXT NOT NULL, daemon TEXT NOT NULL, address TEXT NOT NULL,"
     " cause TEXT NOT NULL, reason TEXT NOT NULL, wall_ms INTEGER NOT NULL,"
     " lease_ms INTEGER NOT NULL, size_bytes INTEGER NOT NULL);"
     "CREATE TABLE change_values (hash BLOB NOT NULL UNIQUE, at INTEGER NOT NULL,"
     " value BLOB NOT NULL);"
     "CREATE INDEX change_values_by_age ON change_values (at, hash);"
     "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"},
    {"version 2",
     TABLE("nodes")
     TABLE("services")
     TABLE("checks")
     TABLE("indexes")},
    {"version 3",
     TABLE("config_entries")
     TABLE("connect_roots")
     TABLE("connect_config")
     TABLE("connect_secrets")},
    {"version 4",
     TABLE("acl_policies")
     TABLE("acl_roles")
     TABLE("acl_tokens")
     TABLE("acl_secrets")},
};

/* Put is no REPLACE: that takes the old row out and finds room for the new one, while an UPDATE by
 * one of the same size overwrites it where it is. Where the row is known to be there UPDATE alone
 * does: it does not make the record that would be inserted. */
#define ROW(table, stmt) [(table) * CATALOG_SQL_TABLE_STMT_COUNT + CATALOG_SQL_##stmt]
#define TABLE_ROWS(table, name)                                                                    \
    ROW(table, GET)  = {name ".get",  "SELECT row, create_index, modify_index, hash"               \
                                      " FROM " name " WHERE key = ?1"},                            \
    ROW(table, SCAN) = {name ".scan", "SELECT key, row, create_index, modify_index, hash"          \
                                      " FROM " name " WHERE key >= ?1 ORDER BY key"},              \
    ROW(table, PUT)  = {name ".put",  "INSERT INTO " name " VALUES (?1,?2,?3,?4,?5)"               \
                                      " ON CONFLICT (key) DO UPDATE SET row = ?2,"                 \
                                      " create_index = ?3, modify_index = ?4, hash = ?5"},         \
    ROW(table, UPDATE) = {name ".update", "UPDATE " name " SET row = ?2, create_index = ?3,"       \
                                          " modify_index = ?4, hash = ?5 WHERE key = ?1"},         \
    ROW(table, DEL)  = {name ".del",  "DELETE FROM " name " WHERE key = ?1"}

const struct cu_sql catalog_statements[CATALOG_SQL_STMT_COUNT] = {
    TABLE_ROWS(CATALOG_KV, "kv"),
    TABLE_ROWS(CATALOG_TOMBSTONES, "tombstones"),
    TABLE_ROWS(CATALOG_SETTINGS, "settings"),
    TABLE_ROWS(CATALOG_NODES, "nodes"),
    TABLE_ROWS(CATALOG_SERVICES, "services"),
    TABLE_ROWS(CATALOG_CHECKS, "checks"),
    TABLE_ROWS(CATALOG_INDEXES, "indexes"),
    TABLE_ROWS(CATALOG_CONFIG_ENTRIES, "config_entries"),
    TABLE_ROWS(CATALOG_CONNECT_ROOTS, "connect_roots"),
    TABLE_ROWS(CATALOG_CONNECT_CONFIG, "connect_config"),
    TABLE_ROWS(CATALOG_CONNECT_SECRETS, "connect_secrets"),
    TABLE_ROWS(CATALOG_ACL_POLICIES, "acl_policies"),
    TABLE_ROWS(CATALOG_ACL_ROLES, "acl_roles"),
    TABLE_ROWS(CATALOG_ACL_TOKENS, "acl_tokens"),
    TABLE_ROWS(CATALOG_ACL_SECRETS, "acl_secrets"),
    [CATALOG_SQL_CHANGES] = {"changes",
        "SELECT place, tab, key, operation, before, before_hash, actor, node, daemon, address,"
        " cause, reason, wall_ms, lease_ms, size_bytes"
        " FROM changes WHERE place > ?1 ORDER BY place"},
    [CATALOG_SQL_CHANGE_ADD] = {"change.add",
        "INSERT OR REPLACE INTO changes"
        " VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)"},
    [CATALOG_SQL_CHANGE_DROP] = {"change.drop",
        "DELETE FROM changes WHERE place = ?1"},
    [CATALOG_SQL_VALUE_GET] = {"value.get",
        "SELECT value FROM change_values WHERE hash = ?1"},
    [CATALOG_SQL_VALUE_OLDEST] = {"value.oldest",
        "SELECT hash, at, length(value) FROM change_values WHERE (at, hash) > (?1, ?2)"
        " ORDER BY at, hash LIMIT 1"},
    [CATALOG_SQL_VALUES] = {"values",
        "SELECT hash, at, value FROM change_values ORDER BY at, hash"},
    [CATALOG_SQL_VALUE_MOVE] = {"value.move",
        "UPDATE change_values SET at = ?2 WHERE hash = ?1 RETURNING 1"},
    [CATALOG_SQL_VALUE_ADD]  = {"value.add",  "INSERT INTO change_values VALUES (?1,?2,?3)"},
    [CATALOG_SQL_VALUE_DROP] = {"value.drop", "DELETE FROM change_values WHERE hash = ?1"},
    [CATALOG_SQL_META_GET]   = {"meta.get",   "SELECT value FROM meta WHERE name = ?1"},
    [CATALOG_SQL_METAS]      = {"metas",      "SELECT name, value FROM meta ORDER BY name"},
    [CATALOG_SQL_META_PUT]   = {"meta.put",   "INSERT OR REPLACE INTO meta VALUES (?1,?2)"},
    [CATALOG_SQL_MARK]       = {"mark",       "SAVEPOINT mark"},
    [CATALOG_SQL_UNDO]       = {"undo",       "ROLLBACK TO mark"},
    [CATALOG_SQL_KEEP]       = {"keep",       "RELEASE mark"},
};
/* clang-format on */
