//! Observability, messages, payment, models.

use crate::check::secrets::format::{Alphabet, Format, Shape};
use crate::check::secrets::judges;
use crate::rule::{Enforcement, Severity};

pub(super) const FORMATS: &[Format] = &[
    Format {
        id: "secrets/slack-token",
        noun: "Slack token",
        keywords: &["xoxb-", "xoxp-", "xoxe-", "xoxe.", "xoxa-", "xoxs-", "xapp-"],
        shape: Shape::Token {
            pattern: r"(?:xoxb-[0-9]{8,14}-(?:[0-9]{8,14}-)?[A-Za-z0-9]{18,34}|xox[aeps]-(?:[0-9]{1,14}-){2,3}[A-Za-z0-9]{20,64}|xoxe(?:\.xox[bp])?-[0-9]-[A-Za-z0-9]{100,250}|xapp-[0-9]-[A-Z0-9]{8,14}-[0-9]{8,16}-[0-9a-f]{48,80})",
            lead: 0,
            window: 280,
            alphabet: Alphabet::Url,
        },
        power: "reads and writes messages as the bot or user",
        revoke: "revoke it on the page of the app, or with `auth.revoke`",
        reference: Some((
            "Token types of Slack",
            "https://api.slack.com/authentication/token-types",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/slack-webhook",
        noun: "Slack webhook address",
        keywords: &["hooks.slack.com/"],
        shape: Shape::Token {
            pattern: r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Z0-9]{8,14}/[A-Z0-9]{8,20}/[A-Za-z0-9]{18,48}",
            lead: 0,
            window: 130,
            alphabet: Alphabet::Word,
        },
        power: "writes messages into the channel",
        revoke: "remove the webhook on the page of the app",
        reference: Some(("Incoming webhooks of Slack", "https://api.slack.com/messaging/webhooks")),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/discord-webhook",
        noun: "Discord webhook address",
        severity: Severity::Medium,
        keywords: &["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"],
        shape: Shape::Token {
            pattern: r"discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/[A-Za-z0-9_-]{60,72}",
            lead: 0,
            window: 130,
            alphabet: Alphabet::Url,
        },
        power: "writes messages into the channel",
        revoke: "delete the webhook in the channel's settings",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/teams-webhook",
        noun: "Microsoft Teams webhook address",
        severity: Severity::Medium,
        keywords: &["webhook.office.com/webhookb2/"],
        shape: Shape::Token {
            pattern: r"webhook\.office\.com/webhookb2/[0-9a-f-]{36}@[0-9a-f-]{36}/IncomingWebhook/[0-9a-f]{32}/[0-9a-f-]{36}",
            lead: 0,
            window: 210,
            alphabet: Alphabet::Url,
        },
        power: "writes messages into the channel",
        revoke: "remove the connector from the channel",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/stripe-key",
        noun: "Stripe secret key",
        severity: Severity::Critical,
        keywords: &["sk_live_", "rk_live_"],
        shape: Shape::Token {
            pattern: r"[sr]k_live_[A-Za-z0-9]{24,247}",
            lead: 0,
            window: 260,
            alphabet: Alphabet::Word,
        },
        power: "moves money of the account",
        revoke: "roll the key under Developers in the dashboard",
        reference: Some(("API keys of Stripe", "https://docs.stripe.com/keys")),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/stripe-test-key",
        noun: "Stripe test key",
        severity: Severity::Low,
        enforcement: Enforcement::Warn,
        keywords: &["sk_test_", "rk_test_"],
        shape: Shape::Token {
            pattern: r"[sr]k_test_[A-Za-z0-9]{24,247}",
            lead: 0,
            window: 260,
            alphabet: Alphabet::Word,
        },
        power: "reads and writes the test data of the account",
        revoke: "roll the key under Developers in the dashboard",
        reference: Some(("API keys of Stripe", "https://docs.stripe.com/keys")),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/sendgrid-key",
        noun: "SendGrid API key",
        keywords: &["SG."],
        shape: Shape::Token {
            pattern: r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",
            lead: 0,
            window: 70,
            alphabet: Alphabet::Url,
        },
        power: "sends mail in the name of the domain",
        revoke: "delete it under API keys in the settings",
        reference: Some((
            "API keys of SendGrid",
            "https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/mailgun-key",
        noun: "Mailgun API key",
        keywords: &["mailgun"],
        shape: Shape::Value {
            pattern: r"(?i:mailgun)[A-Za-z0-9_.\x22' \t:=>-]{0,40}(key-[0-9a-f]{32})\b",
            window: 100,
        },
        judge: judges::random,
        power: "sends mail in the name of the domain",
        revoke: "delete it under API security",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/mailchimp-key",
        noun: "Mailchimp API key",
        keywords: &["-us"],
        shape: Shape::Token {
            pattern: r"[0-9a-f]{32}-us[0-9]{1,2}",
            lead: 32,
            window: 38,
            alphabet: Alphabet::Url,
        },
        power: "reads contacts and sends campaigns",
        revoke: "disable it under API keys of the account",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/brevo-key",
        noun: "Brevo API key",
        keywords: &["xkeysib-"],
        shape: Shape::Token {
            pattern: r"xkeysib-[0-9a-f]{64}-[A-Za-z0-9]{16}",
            lead: 0,
            window: 90,
            alphabet: Alphabet::Url,
        },
        power: "sends mail and reads contacts",
        revoke: "delete it under SMTP & API",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/telegram-bot-token",
        noun: "Telegram bot token",
        keywords: &[":AA"],
        shape: Shape::Token {
            pattern: r"[0-9]{9,10}:AA[A-Za-z0-9_-]{33}",
            lead: 10,
            window: 47,
            alphabet: Alphabet::Url,
        },
        power: "controls the bot and reads its messages",
        revoke: "revoke it with BotFather",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/grafana-service-account-token",
        noun: "Grafana service account token",
        keywords: &["glsa_"],
        shape: Shape::Token {
            pattern: r"glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}",
            lead: 0,
            window: 47,
            alphabet: Alphabet::Word,
        },
        judge: judges::grafana,
        power: "reads and changes dashboards and data sources as the service account",
        revoke: "delete it under Service accounts",
        reference: Some((
            "Service accounts of Grafana",
            "https://grafana.com/docs/grafana/latest/administration/service-accounts/",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/grafana-cloud-token",
        noun: "Grafana Cloud access policy token",
        severity: Severity::Critical,
        keywords: &["glc_eyJ"],
        shape: Shape::Token {
            pattern: r"glc_eyJ[A-Za-z0-9+/]{60,400}={0,2}",
            lead: 0,
            window: 410,
            alphabet: Alphabet::Base64,
        },
        power: "reads or writes the metrics, logs and traces that the policy allows",
        revoke: "delete it under Access policies",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/new-relic-key",
        noun: "New Relic key",
        keywords: &["NRAK-", "NRII-"],
        shape: Shape::Token {
            pattern: r"(?:NRAK-[A-Z0-9]{27}|NRII-[A-Za-z0-9_-]{32})",
            lead: 0,
            window: 38,
            alphabet: Alphabet::Url,
        },
        power: "reads or writes the account's data",
        revoke: "delete it under API keys",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/sentry-org-token",
        noun: "Sentry organization token",
        keywords: &["sntrys_"],
        shape: Shape::Token {
            pattern: r"sntrys_[A-Za-z0-9+/=]{60,500}_[A-Za-z0-9+/=_-]{43}",
            lead: 0,
            window: 560,
            alphabet: Alphabet::Word,
        },
        judge: judges::sentry,
        power: "uploads releases and source maps for the organization",
        revoke: "revoke it under Auth tokens of the organization",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/sentry-user-token",
        noun: "Sentry user token",
        keywords: &["sntryu_"],
        shape: Shape::Token {
            pattern: r"sntryu_[0-9a-f]{64}",
            lead: 0,
            window: 72,
            alphabet: Alphabet::Word,
        },
        power: "acts as its owner in Sentry",
        revoke: "revoke it under the owner's auth tokens",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/dynatrace-token",
        noun: "Dynatrace token",
        severity: Severity::Critical,
        keywords: &["dt0c01.", "dt0s01."],
        shape: Shape::Token {
            pattern: r"dt0[cs]01\.[A-Z0-9]{24}\.[A-Z0-9]{64}",
            lead: 0,
            window: 97,
            alphabet: Alphabet::Word,
        },
        power: "reads and writes what the token's scopes allow",
        revoke: "revoke it under Access tokens",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/datadog-key",
        noun: "Datadog key",
        keywords: &["DD_API_KEY", "DD_APP_KEY", "DD-API-KEY", "DD_APPLICATION_KEY"],
        shape: Shape::Value {
            pattern: r"(?i:DD[_-]AP[A-Z]{1,10}[_-]KEY)\\{0,2}[\x22']?\s{0,8}(?:[:=]|=>)?\s{0,40}(?:value[\x22']?\s{0,4}:\s{0,4})?\\{0,2}[\x22']?([0-9a-f]{40}|[0-9a-f]{32})\b",
            window: 160,
        },
        judge: judges::random,
        power: "writes into, or reads, the account's data",
        revoke: "revoke it in the organization's settings",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/shopify-token",
        noun: "Shopify token",
        keywords: &["shpat_", "shpca_", "shppa_", "shpss_"],
        shape: Shape::Token {
            pattern: r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
            lead: 0,
            window: 39,
            alphabet: Alphabet::Word,
        },
        power: "reads and writes the shop's data",
        revoke: "rotate it on the page of the app",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/openai-key",
        noun: "OpenAI API key",
        severity: Severity::Critical,
        keywords: &["sk-"],
        shape: Shape::Token {
            pattern: r"sk-(?:(?:proj|svcacct|admin)-)?[A-Za-z0-9_-]{20,100}T3BlbkFJ[A-Za-z0-9_-]{20,100}",
            lead: 0,
            window: 220,
            alphabet: Alphabet::Url,
        },
        power: "uses models and reads stored data on the project's bill",
        revoke: "delete it under API keys",
        reference: Some((
            "API keys of OpenAI",
            "https://platform.openai.com/docs/api-reference/authentication",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/anthropic-key",
        noun: "Anthropic API key",
        severity: Severity::Critical,
        keywords: &["sk-ant-"],
        shape: Shape::Token {
            pattern: r"sk-ant-(?:api|admin)[0-9]{2}-[A-Za-z0-9_-]{93}AA",
            lead: 0,
            window: 115,
            alphabet: Alphabet::Url,
        },
        power: "uses models on the organization's bill",
        revoke: "delete it under API keys",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/hugging-face-token",
        noun: "Hugging Face token",
        keywords: &["hf_", "api_org_"],
        shape: Shape::Token {
            pattern: r"(?:hf_|api_org_)[A-Za-z]{34}",
            lead: 0,
            window: 43,
            alphabet: Alphabet::Word,
        },
        power: "reads and perhaps writes models as its owner",
        revoke: "invalidate it under Access tokens in the owner's settings",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/groq-key",
        noun: "Groq API key",
        keywords: &["gsk_"],
        shape: Shape::Token {
            pattern: r"gsk_[A-Za-z0-9]{52}",
            lead: 0,
            window: 57,
            alphabet: Alphabet::Word,
        },
        power: "uses models on the organization's bill",
        revoke: "delete it under API keys",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/notion-token",
        noun: "Notion integration token",
        keywords: &["ntn_"],
        shape: Shape::Token {
            pattern: r"ntn_[0-9]{11}[A-Za-z0-9]{35}",
            lead: 0,
            window: 51,
            alphabet: Alphabet::Word,
        },
        power: "reads and perhaps writes the pages shared with the integration",
        revoke: "refresh it on the page of the integration",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/linear-key",
        noun: "Linear API key",
        keywords: &["lin_api_"],
        shape: Shape::Token {
            pattern: r"lin_api_[A-Za-z0-9]{40}",
            lead: 0,
            window: 49,
            alphabet: Alphabet::Word,
        },
        power: "acts as its owner in the workspace",
        revoke: "revoke it under Security & access",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/postman-key",
        noun: "Postman API key",
        keywords: &["PMAK-"],
        shape: Shape::Token {
            pattern: r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}",
            lead: 0,
            window: 65,
            alphabet: Alphabet::Url,
        },
        power: "reads workspaces and the credentials stored in them",
        revoke: "revoke it under API keys in the owner's settings",
        ..Format::DEFAULT
    },
];
