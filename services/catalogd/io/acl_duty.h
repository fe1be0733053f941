/* acl_duty.h - access control on duty: what there always is is made, tokens that have expired are
 * reaped; and the file by which an operator allows another bootstrap (http-api.md 4.4, 4.6). */
#ifndef CATALOG_IO_ACL_DUTY_H
#define CATALOG_IO_ACL_DUTY_H

#include "services/catalogd/io/shell.h"

struct catalog_acl_duty;

enum {
    CATALOG_ACL_BUILTINS_MS = 500, /* between two looks whether anything is missing */
    CATALOG_ACL_REAP_MS = 10 * 1000,
};

struct catalog_acl_duty *catalog_acl_duty_new(struct catalog_shell *shell);
/* When no reader works any more. Takes NULL. */
void catalog_acl_duty_free(struct catalog_acl_duty *duty);

/* The runs of the duties. */
void catalog_acl_builtins_run(void *shell);
void catalog_acl_reap_run(void *shell);

/* DATA_DIR/acl-bootstrap-reset: the number in it; 0: there is none. */
uint64_t catalog_acl_reset_file_read(struct catalog_shell *shell);
/* It is good for once. */
void catalog_acl_reset_file_remove(struct catalog_shell *shell);

#endif
