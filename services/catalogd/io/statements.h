/* statements.h - the schema of state.db and every statement made on it. */
#ifndef CATALOG_STATEMENTS_H
#define CATALOG_STATEMENTS_H

#include "common/store/store.h"
#include "services/catalogd/core/backend.h"
#include "services/catalogd/io/sqlite.h"

/* Of each table; see catalog_statement(). */
enum catalog_table_stmt {
    CATALOG_SQL_GET,
    CATALOG_SQL_SCAN,
    CATALOG_SQL_PUT,
    CATALOG_SQL_UPDATE,
    CATALOG_SQL_DEL,
    CATALOG_SQL_TABLE_STMT_COUNT
};

enum catalog_stmt {
    CATALOG_SQL_TABLES_END = CATALOG_TABLE_COUNT * CATALOG_SQL_TABLE_STMT_COUNT,
    CATALOG_SQL_CHANGES = CATALOG_SQL_TABLES_END,
    CATALOG_SQL_CHANGE_ADD,
    CATALOG_SQL_CHANGE_DROP,
    CATALOG_SQL_VALUE_GET,
    CATALOG_SQL_VALUE_OLDEST,
    CATALOG_SQL_VALUES,
    CATALOG_SQL_VALUE_MOVE,
    CATALOG_SQL_VALUE_ADD,
    CATALOG_SQL_VALUE_DROP,
    CATALOG_SQL_META_GET,
    CATALOG_SQL_METAS,
    CATALOG_SQL_META_PUT,
    CATALOG_SQL_MARK,
    CATALOG_SQL_UNDO,
    CATALOG_SQL_KEEP,
    CATALOG_SQL_STMT_COUNT
};

extern const struct cu_sql catalog_migrations[CATALOG_SCHEMA_VERSION];
extern const struct cu_sql catalog_statements[CATALOG_SQL_STMT_COUNT];

/* The row of catalog_statements for a table. */
static inline size_t catalog_statement(enum catalog_table table, enum catalog_table_stmt which)
{
    return (size_t)table * CATALOG_SQL_TABLE_STMT_COUNT + (size_t)which;
}

#endif
