/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One error of the engine becomes one entry of the program's error queue.
 *
 * It goes through the core, not ERR_raise: the program may be linked to
 * another libcrypto than we are, and has its own queue then. Programs print
 * library, reason and data but drop the function's name, so the sentence is
 * the data.
 */
#include "prov.h"

#include <stdarg.h>

/* OSSL_ITEM points to what is not const. */
static char reasons[][32] = {
    [DEVID_ERR_USAGE] = "not possible with this key",
    [DEVID_ERR_INPUT] = "malformed key, URI or setting",
    [DEVID_ERR_NO_DEVICE] = "no device",
    [DEVID_ERR_NOT_FOUND] = "not found",
    [DEVID_ERR_WRONG_KEY] = "wrong key",
    [DEVID_ERR_EXISTS] = "already there",
    [DEVID_ERR_ALG] = "algorithm not supported",
    [DEVID_ERR_AUTH] = "authorisation failed",
    [DEVID_ERR_LOCKED] = "device locked out",
    [DEVID_ERR_BUSY] = "device busy",
    [DEVID_ERR_DEVICE] = "device error",
    [DEVID_ERR_SYSTEM] = "system error",
};

const OSSL_ITEM prov_reason_strings[] = {
    {DEVID_ERR_USAGE, reasons[DEVID_ERR_USAGE]},
    {DEVID_ERR_INPUT, reasons[DEVID_ERR_INPUT]},
    {DEVID_ERR_NO_DEVICE, reasons[DEVID_ERR_NO_DEVICE]},
    {DEVID_ERR_NOT_FOUND, reasons[DEVID_ERR_NOT_FOUND]},
    {DEVID_ERR_WRONG_KEY, reasons[DEVID_ERR_WRONG_KEY]},
    {DEVID_ERR_EXISTS, reasons[DEVID_ERR_EXISTS]},
    {DEVID_ERR_ALG, reasons[DEVID_ERR_ALG]},
    {DEVID_ERR_AUTH, reasons[DEVID_ERR_AUTH]},
    {DEVID_ERR_LOCKED, reasons[DEVID_ERR_LOCKED]},
    {DEVID_ERR_BUSY, reasons[DEVID_ERR_BUSY]},
    {DEVID_ERR_DEVICE, reasons[DEVID_ERR_DEVICE]},
    {DEVID_ERR_SYSTEM, reasons[DEVID_ERR_SYSTEM]},
    {0, NULL},
};

void prov_raise_at(const struct prov_ctx *ctx, const char *file, int line,
                   const char *function, enum devid_err code,
                   const char *format, ...)
{
    va_list args;

    ctx->core.new_error(ctx->handle);
    ctx->core.set_error_debug(ctx->handle, file, line, function);
    va_start(args, format);
    ctx->core.vset_error(ctx->handle, (uint32_t)code, format, args);
    va_end(args);
}
