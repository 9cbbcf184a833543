/*
 * gssapi_ntlm.h - the NTLM mechanism's extensions of RFC 2744 for applications.
 *
 * Object identifiers are the bytes of their DER content, for the elements of a gss_OID_desc.
 * Do not link with the mechanism: libgssapi_krb5 loads it.
 */
#ifndef GSSAPI_GSSAPI_NTLM_H
#define GSSAPI_GSSAPI_NTLM_H

#include <stdint.h>

/* The mechanism: 1.3.6.1.4.1.311.2.2.10 */
#define GSS_NTLM_MECH_OID_STRING "1.3.6.1.4.1.311.2.2.10"
#define GSS_NTLM_MECH_OID_LENGTH 10
#define GSS_NTLM_MECH_OID_BYTES "\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"

/* Mechanism-private object identifiers, 1.3.6.1.4.1.7165.655.1.N, 11 bytes each. */
#define GSS_NTLM_OID_LENGTH 11
/* gss_set_sec_context_option: sequence number of all connectionless messages, in both directions,
 * until it is set again (4 bytes, host order); each sealed message needs a higher one */
#define GSS_NTLM_SET_SEQ_NUM_OID_BYTES "\x2b\x06\x01\x04\x01\xb7\x7d\x85\x0f\x01\x01"
/* gss_inquire_sec_context_by_oid: one byte, 1 once AUTHENTICATE carries a MIC */
#define GSS_NTLM_SPNEGO_REQUIRE_MIC_OID_BYTES "\x2b\x06\x01\x04\x01\xb7\x7d\x85\x0f\x01\x02"
/* gss_set_sec_context_option: restart RC4 after a mechListMIC (4 bytes, host order: 1 receive, 0
 * send) */
#define GSS_NTLM_RESET_CRYPTO_OID_BYTES "\x2b\x06\x01\x04\x01\xb7\x7d\x85\x0f\x01\x03"
/* gssspi_mech_invoke: file name for the trace; empty turns it off */
#define GSS_NTLM_DEBUG_OID_BYTES "\x2b\x06\x01\x04\x01\xb7\x7d\x85\x0f\x01\x04"
/* gssspi_set_cred_option: NEGOTIATE flags to send (4 bytes, host order; length 0 restores the
 * default) */
#define GSS_NTLM_NEG_FLAGS_OID_BYTES "\x2b\x06\x01\x04\x01\xb7\x7d\x85\x0f\x01\x05"

/* Request flag: connectionless (datagram) NTLM; gss-ntlmssp's name for it is also defined. */
#define GSS_NTLM_DATAGRAM_FLAG 0x10000u
#ifndef GSS_C_DATAGRAM_FLAG
#define GSS_C_DATAGRAM_FLAG 0x10000
#endif

/* Credential store keys of gss_acquire_cred_from. Keys of other mechanisms are ignored. */
#define GSS_NTLM_CS_DOMAIN "ntlmssp_domain"     /* domain, UTF-8 */
#define GSS_NTLM_CS_NTHASH "ntlmssp_nthash"     /* NT hash, 32 hexadecimal digits, or lm:nt */
#define GSS_NTLM_CS_PASSWORD "ntlmssp_password" /* password, UTF-8 */
/* Password as the UTF-16LE units themselves, hexadecimal: for machine and managed service accounts,
 * whose passwords are random units that UTF-8 cannot carry. */
#define GSS_NTLM_CS_PASSWORD_UTF16LE "ntlmssp_password_utf16le"
#define GSS_NTLM_CS_KEYFILE "ntlmssp_keyfile" /* path of a users file, for both roles */
/* the same for one role; each overrides ntlmssp_keyfile */
#define GSS_NTLM_CS_ACCEPTOR_KEYFILE "ntlmssp_acceptor_keyfile"
#define GSS_NTLM_CS_INITIATOR_KEYFILE "ntlmssp_initiator_keyfile"
/* kernel keyring: session, user, persistent or any; to store, PATTERN of targets may follow a colon
 */
#define GSS_NTLM_CS_KEYRING "ntlmssp_keyring"
#define GSS_NTLM_GENERIC_CS_PASSWORD "password" /* password, UTF-8 */

/* Attributes of an authenticated user's name, for gss_get_name_attribute; all are text. The
 * attribute "local-login-user" names the account of this system. */
#define GSS_NTLM_ATTR_USER "urn:gss-ntlm:user"                   /* as the account is spelt */
#define GSS_NTLM_ATTR_DOMAIN "urn:gss-ntlm:domain"               /* may be empty */
#define GSS_NTLM_ATTR_WORKSTATION "urn:gss-ntlm:workstation"     /* as the client sent it */
#define GSS_NTLM_ATTR_TARGET "urn:gss-ntlm:target"               /* service the client named */
#define GSS_NTLM_ATTR_VERSION "urn:gss-ntlm:version"             /* kind of response: "NTLMv2" */
#define GSS_NTLM_ATTR_MIC "urn:gss-ntlm:mic"                     /* 1: exchange covered by a MIC */
#define GSS_NTLM_ATTR_CHANNEL_BOUND "urn:gss-ntlm:channel-bound" /* 1: bindings matched */
#define GSS_NTLM_ATTR_KEY_BITS "urn:gss-ntlm:key-bits"           /* 128, 56, 40; 0: no protection */
#define GSS_NTLM_ATTR_SIDS "urn:gssntlmssp:sids"                 /* SIDs, comma-separated */

/* Minor status codes. gss_display_status explains each and says what to do. */
#define GSS_NTLM_S_BASE 0x4E540000u
#define GSS_NTLM_S_NOT_NTLM 0x4E540001u            /* token is not an NTLM message */
#define GSS_NTLM_S_TRUNCATED 0x4E540002u           /* message shorter than its fixed part */
#define GSS_NTLM_S_FIELD_OUT_OF_BOUNDS 0x4E540003u /* a field points outside its message */
#define GSS_NTLM_S_WRONG_MESSAGE 0x4E540004u       /* not the message this step expects */
#define GSS_NTLM_S_CHARSET 0x4E540005u             /* no character set offered or chosen */
#define GSS_NTLM_S_BAD_STRING 0x4E540006u          /* odd length, NUL or control characters */
#define GSS_NTLM_S_BAD_AV_PAIRS 0x4E540007u        /* malformed target information */
#define GSS_NTLM_S_BAD_RESPONSE 0x4E540008u        /* impossible response or key length */
#define GSS_NTLM_S_TOO_LONG 0x4E540009u            /* token or field longer than is accepted */
#define GSS_NTLM_S_BAD_STATE 0x4E54000Au           /* context is complete or has failed */
#define GSS_NTLM_S_INCOMPLETE 0x4E54000Bu          /* context has no keys yet */
#define GSS_NTLM_S_BAD_NAME 0x4E54000Cu            /* name cannot be used with NTLM */
#define GSS_NTLM_S_NAME_TYPE 0x4E54000Du           /* name type not supported */
#define GSS_NTLM_S_BAD_ARGUMENT 0x4E54000Eu        /* argument missing or contradictory */
#define GSS_NTLM_S_BAD_TEXT 0x4E54000Fu            /* text is not valid UTF-8 */
#define GSS_NTLM_S_NO_INITIATOR_CRED 0x4E540010u   /* no account to log in with */
#define GSS_NTLM_S_NO_ACCEPTOR_CRED 0x4E540011u    /* no accounts to check against */
#define GSS_NTLM_S_USERS_FILE_OPEN 0x4E540012u     /* users file cannot be read */
#define GSS_NTLM_S_USERS_FILE_MODE 0x4E540013u     /* users file has wrong mode or owner */
#define GSS_NTLM_S_USERS_FILE_LINE 0x4E540014u     /* users file has a bad line */
#define GSS_NTLM_S_NOT_SUPPORTED 0x4E540015u       /* operation not supported */
#define GSS_NTLM_S_NOT_AVAILABLE 0x4E540016u       /* value not available now */
#define GSS_NTLM_S_BAD_CREDENTIAL 0x4E540017u      /* credential cannot serve this call */
#define GSS_NTLM_S_BAD_SETTING 0x4E540018u         /* a setting cannot be understood */
#define GSS_NTLM_S_LOGON_FAILURE 0x4E540019u       /* the acceptor rejected the logon */
#define GSS_NTLM_S_BINDINGS 0x4E54001Au            /* channel bindings missing or different */
#define GSS_NTLM_S_POLICY_VERSION 0x4E54001Bu      /* policy rejects the NTLM version */
#define GSS_NTLM_S_POLICY_FLAGS 0x4E54001Cu        /* a required capability is missing */
#define GSS_NTLM_S_POLICY_KEY_LENGTH 0x4E54001Du   /* session key too short for policy */
#define GSS_NTLM_S_POLICY_BLOCKED 0x4E54001Eu      /* target or user blocked by policy */
#define GSS_NTLM_S_DOWNGRADE 0x4E54001Fu           /* flags changed between messages */
#define GSS_NTLM_S_TARGET_INFO 0x4E540020u         /* server sent no usable target information */
#define GSS_NTLM_S_BAD_SIGNATURE 0x4E540021u       /* message signature does not verify */
#define GSS_NTLM_S_SEQUENCE 0x4E540022u            /* message does not carry the number set */
#define GSS_NTLM_S_SEQUENCE_END 0x4E540023u        /* sequence numbers are used up */
#define GSS_NTLM_S_SHORT_SIGNATURE 0x4E540024u     /* token shorter than a signature */
#define GSS_NTLM_S_BAD_QOP 0x4E540025u             /* only the default QOP exists */
#define GSS_NTLM_S_NO_PROTECTION 0x4E540026u       /* no signing or sealing negotiated */
#define GSS_NTLM_S_NO_MEMORY 0x4E540027u           /* memory exhausted */
#define GSS_NTLM_S_NO_RANDOM 0x4E540028u           /* no random numbers from the system */
#define GSS_NTLM_S_INTERNAL 0x4E540029u            /* a defect of the mechanism */
#define GSS_NTLM_S_ANONYMOUS 0x4E54002Au           /* policy rejects anonymous logons */
#define GSS_NTLM_S_EXPIRED 0x4E54002Bu             /* context or credential has expired */
#define GSS_NTLM_S_BAD_OPTION 0x4E54002Cu          /* option value has the wrong size or state */
#define GSS_NTLM_S_BAD_IOV 0x4E54002Du             /* IOV list cannot be processed */
#define GSS_NTLM_S_IMPORT 0x4E54002Eu              /* exported token cannot be imported */
#define GSS_NTLM_S_FORKED 0x4E54002Fu              /* context belongs to another process */
#define GSS_NTLM_S_UNENCODABLE 0x4E540030u         /* text has no form in the OEM code page */
#define GSS_NTLM_S_DUPLICATE_TOKEN 0x4E540031u     /* message was received before */
#define GSS_NTLM_S_OLD_TOKEN 0x4E540032u           /* message too old to tell whether it is new */
#define GSS_NTLM_S_GAP_TOKEN 0x4E540033u           /* messages before this one are missing */
#define GSS_NTLM_S_KEYRING 0x4E540034u             /* kernel keyring cannot be used */
#define GSS_NTLM_S_DOMAIN 0x4E540035u              /* no domain controller reached; retry */
#define GSS_NTLM_S_NO_LOCAL_USER 0x4E540036u       /* no account of this system for the user */
#define GSS_NTLM_S_ATTRIBUTE 0x4E540037u        /* name has no such attribute, or it is verified */
#define GSS_NTLM_S_SEQUENCE_USED 0x4E540038u    /* sealing would use a sequence number twice */
#define GSS_NTLM_S_BAD_STORE_VALUE 0x4E540039u  /* a credential store's value cannot be used */
#define GSS_NTLM_S_NO_USER_NAME 0x4E54003Au     /* a secret was given without its user */
#define GSS_NTLM_S_RESPONSE_VERSION 0x4E54003Bu /* NTLMv2 response of an unknown version */

#endif
