/* SPDX-License-Identifier: Apache-2.0 */
#include "exits.h"

#define STATION_REFUSES "the station refuses; asking again does not help"
#define NO_STATION "the station is not to be reached, or not at work"
#define NOT_THE_STATION                                                        \
    "what answers is not that station, or what it answers is not for this "    \
    "device"
#define NO_ROOM "the TPM's NV, or the token, has no room for the certificates"

const struct exit_row provision_exits[] = {
    {EXIT_FAILED, "it failed on this device: a file that cannot be read or "
                  "written, or something in NV that is to stay"},
    {EXIT_REFUSED, STATION_REFUSES},
    {EXIT_UNREACHABLE, NO_STATION},
    {EXIT_DEVICE, "the TPM or token: it is not there, faulty, locked, has an "
                  "authorisation value that was not given, or holds something "
                  "else where its keys belong"},
    {EXIT_NO_ROOM, NO_ROOM},
    {EXIT_UNTRUSTED, NOT_THE_STATION},
    {0},
};

const struct exit_row decommission_exits[] = {
    {EXIT_FAILED, "it failed on this device: a file that cannot be read or "
                  "removed"},
    {EXIT_REFUSED, STATION_REFUSES},
    {EXIT_UNREACHABLE, NO_STATION},
    {EXIT_DEVICE, "the TPM or token: it is not there, faulty, locked, or has "
                  "an authorisation value that was not given"},
    {EXIT_UNTRUSTED, "what answers is not that station"},
    {0},
};

const struct exit_row install_exits[] = {
    {EXIT_FAILED, "it failed on this device: a file that cannot be read or "
                  "written, or something in NV that is to stay"},
    {EXIT_DEVICE, "the TPM or token: it is not there, faulty, locked, or has "
                  "an authorisation value that was not given"},
    {EXIT_NO_ROOM, NO_ROOM},
    {EXIT_UNTRUSTED, "the certificates are not for this device"},
    {0},
};

const struct exit_row enrolment_exits[] = {
    {EXIT_FAILED, "it failed on this device: a file that cannot be read or "
                  "written, or the command of --after"},
    {EXIT_REFUSED, "the CA refuses; asking again does not help"},
    {EXIT_UNREACHABLE, "the CA is not to be reached, not at work, or has not "
                       "decided yet"},
    {EXIT_DEVICE, "the TPM or token: it is not there, faulty, locked, or has "
                  "an authorisation value that was not given"},
    {EXIT_UNTRUSTED, "what answers is not that CA, or what it answers is not "
                     "for this device"},
    {0},
};

const struct exit_row revoke_exits[] = {
    {EXIT_DONE, "the CA has revoked it"},
    {EXIT_FAILED, "it failed on this device, or the CA's protocol has no such "
                  "request"},
    {EXIT_REFUSED, "the CA refuses, also where it is revoked already"},
    {EXIT_UNREACHABLE, "the CA is not to be reached"},
    {EXIT_DEVICE, "the TPM or token does not sign"},
    {EXIT_UNTRUSTED, "what answers is not that CA"},
    {0},
};
