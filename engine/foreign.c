/* SPDX-License-Identifier: Apache-2.0 */
/* Whose code a thread runs: see devid.h. */
#include "devid.h"

static _Thread_local const char *volatile foreign_module;
static _Thread_local const char *volatile foreign_call;

void devid_foreign_enter(const char *module, const char *call)
{
    foreign_call = call;
    foreign_module = module;
}

void devid_foreign_leave(void)
{
    foreign_module = NULL;
    foreign_call = NULL;
}

const char *devid_foreign_module(const char **call)
{
    *call = foreign_call;
    return foreign_module;
}
