//! Cloud providers, platforms, and stores of secrets.

use crate::check::secrets::aws;
use crate::check::secrets::format::{Alphabet, Format, Shape};
use crate::check::secrets::judges;
use crate::check::secrets::pem;
use crate::rule::Severity;

pub(super) const FORMATS: &[Format] = &[
    Format {
        id: "secrets/aws-secret-access-key",
        noun: "AWS secret access key",
        severity: Severity::Critical,
        keywords: &[
            "AKIA",
            "ASIA",
            "secret_access_key",
            "secretaccesskey",
            "secret-access-key",
            "aws_secret_key",
            "awssecretkey",
            "aws_secret",
        ],
        shape: Shape::Code(aws::secret_key),
        power: "acts as the AWS user or role it belongs to",
        revoke: "deactivate the key in IAM and delete it",
        reference: Some((
            "Identifiers of IAM",
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/gcp-service-account-key",
        noun: "Google Cloud service account key",
        severity: Severity::Critical,
        keywords: &["private_key\"", "private_key\\\""],
        shape: Shape::Code(pem::service_account),
        power: "acts as the service account, without an end",
        revoke: "delete the key of the service account in IAM",
        reference: Some((
            "Keys of service accounts",
            "https://cloud.google.com/iam/docs/keys-create-delete",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/gcp-api-key",
        noun: "Google API key",
        keywords: &["AIza"],
        shape: Shape::Token {
            pattern: r"AIza[A-Za-z0-9_-]{35}",
            lead: 0,
            window: 40,
            alphabet: Alphabet::Url,
        },
        power: "uses the APIs that the key is not restricted from, on the project's bill",
        revoke: "delete it under APIs & Services, or restrict it if it is public by design",
        reference: Some((
            "API keys of Google Cloud",
            "https://cloud.google.com/docs/authentication/api-keys",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/gcp-oauth-client-secret",
        noun: "Google OAuth client secret",
        keywords: &["GOCSPX-"],
        shape: Shape::Token {
            pattern: r"GOCSPX-[A-Za-z0-9_-]{28}",
            lead: 0,
            window: 36,
            alphabet: Alphabet::Url,
        },
        power: "authenticates as the application against Google",
        revoke: "reset the secret of the client under APIs & Services",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/azure-storage-key",
        noun: "Azure Storage account key",
        severity: Severity::Critical,
        keywords: &["AccountKey="],
        shape: Shape::Value { pattern: r"AccountKey=([A-Za-z0-9+/]{86}==)", window: 110 },
        judge: judges::azure_key,
        power: "reads, writes and deletes everything in the storage account",
        revoke: "rotate the key of the account",
        reference: Some((
            "Account keys of Azure Storage",
            "https://learn.microsoft.com/azure/storage/common/storage-account-keys-manage",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/azure-client-secret",
        noun: "Microsoft Entra client secret",
        severity: Severity::Critical,
        keywords: &["7Q~", "8Q~"],
        shape: Shape::Token {
            pattern: r"[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,34}",
            lead: 3,
            window: 41,
            alphabet: Alphabet::Url,
        },
        power: "acts as the application it belongs to",
        revoke: "delete the secret under Certificates & secrets of the application",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/digitalocean-token",
        noun: "DigitalOcean token",
        severity: Severity::Critical,
        keywords: &["dop_v1_", "doo_v1_", "dor_v1_"],
        shape: Shape::Token {
            pattern: r"do[por]_v1_[0-9a-f]{64}",
            lead: 0,
            window: 72,
            alphabet: Alphabet::Word,
        },
        power: "manages the resources of the account",
        revoke: "revoke it under API in the control panel",
        reference: Some((
            "Personal access tokens of DigitalOcean",
            "https://docs.digitalocean.com/reference/api/create-personal-access-token/",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/cloudflare-token",
        noun: "Cloudflare API token",
        severity: Severity::Critical,
        keywords: &["cfut_", "cfat_", "cfk_"],
        shape: Shape::Token {
            pattern: r"cf(?:ut|at|k)_[A-Za-z0-9]{40}[0-9a-f]{8}",
            lead: 0,
            window: 54,
            alphabet: Alphabet::Word,
        },
        judge: judges::cloudflare,
        power: "changes the zones and settings that the token reaches",
        revoke: "roll or delete it under API tokens of its user or account",
        reference: Some((
            "API tokens of Cloudflare",
            "https://developers.cloudflare.com/fundamentals/api/get-started/create-token/",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/tailscale-key",
        noun: "Tailscale key",
        severity: Severity::Critical,
        keywords: &["tskey-"],
        shape: Shape::Token {
            pattern: r"tskey-(?:auth|api|client|scim|webhook)-k[A-Za-z0-9]{5,20}CNTRL-[A-Za-z0-9]{20,48}",
            lead: 0,
            window: 100,
            alphabet: Alphabet::Url,
        },
        power: "joins the private network or manages it",
        revoke: "revoke it under Keys in the admin console",
        reference: Some((
            "Key prefixes of Tailscale",
            "https://tailscale.com/kb/1277/key-prefixes",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/vercel-token",
        noun: "Vercel token",
        keywords: &["vcp_", "vci_", "vca_", "vcr_", "vck_"],
        shape: Shape::Token {
            pattern: r"vc[piark]_[A-Za-z0-9]{56}",
            lead: 0,
            window: 61,
            alphabet: Alphabet::Word,
        },
        judge: judges::base62_crc,
        power: "deploys and reads settings as its owner",
        revoke: "delete it in the owner's account settings, under Tokens",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/heroku-key",
        noun: "Heroku API key",
        keywords: &["HRKU-"],
        shape: Shape::Token {
            pattern: r"HRKU-AA[A-Za-z0-9_-]{58}",
            lead: 0,
            window: 66,
            alphabet: Alphabet::Url,
        },
        power: "manages the applications of its owner",
        revoke: "regenerate it in the owner's account settings",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/databricks-token",
        noun: "Databricks access token",
        severity: Severity::Critical,
        keywords: &["dapi"],
        shape: Shape::Token {
            pattern: r"dapi[0-9a-f]{32}(?:-[0-9])?",
            lead: 0,
            window: 39,
            alphabet: Alphabet::Word,
        },
        power: "acts as its owner in the workspace",
        revoke: "revoke it in the owner's settings, under Access tokens",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/supabase-token",
        noun: "Supabase token",
        severity: Severity::Critical,
        keywords: &["sbp_", "sb_secret_"],
        shape: Shape::Token {
            pattern: r"(?:sbp_[0-9a-f]{40}|sb_secret_[A-Za-z0-9_-]{31})",
            lead: 0,
            window: 46,
            alphabet: Alphabet::Url,
        },
        power: "manages the projects or reads the data past row-level security",
        revoke: "revoke it in the dashboard",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/planetscale-token",
        noun: "PlanetScale token or password",
        severity: Severity::Critical,
        keywords: &["pscale_tkn_", "pscale_pw_", "pscale_oauth_"],
        shape: Shape::Token {
            pattern: r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{32,64}",
            lead: 0,
            window: 80,
            alphabet: Alphabet::Url,
        },
        power: "reads and writes the database",
        revoke: "delete it in the settings of the organization or branch",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/vault-token",
        noun: "Vault token",
        severity: Severity::Critical,
        keywords: &["hvs.", "hvb."],
        shape: Shape::Token {
            pattern: r"hv[sb]\.[A-Za-z0-9_-]{90,300}",
            lead: 0,
            window: 306,
            alphabet: Alphabet::Url,
        },
        power: "reads and writes what the token's policies allow in Vault",
        revoke: "revoke it with `vault token revoke`",
        reference: Some((
            "Tokens of Vault",
            "https://developer.hashicorp.com/vault/docs/concepts/tokens",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/onepassword-service-account-token",
        noun: "1Password service account token",
        severity: Severity::Critical,
        keywords: &["ops_eyJ"],
        shape: Shape::Token {
            pattern: r"ops_eyJ[A-Za-z0-9_-]{250,}={0,2}",
            lead: 0,
            window: 2010,
            alphabet: Alphabet::Url,
        },
        judge: judges::onepassword,
        power: "reads the vaults that the service account was granted",
        revoke: "rotate it under Developer in 1Password",
        reference: Some((
            "Service accounts of 1Password",
            "https://developer.1password.com/docs/service-accounts/",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/doppler-token",
        noun: "Doppler token",
        severity: Severity::Critical,
        keywords: &["dp.pt.", "dp.st.", "dp.sa."],
        shape: Shape::Token {
            pattern: r"dp\.(?:pt|sa|st)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}",
            lead: 0,
            window: 90,
            alphabet: Alphabet::Url,
        },
        power: "reads the secrets of the projects that the token reaches",
        revoke: "revoke it in the dashboard",
        ..Format::DEFAULT
    },
];
