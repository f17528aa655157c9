//! Forges, pipelines, and what deploys from them.

use crate::check::secrets::format::{Alphabet, Format, Shape};
use crate::check::secrets::judges;
use crate::rule::Severity;

pub(super) const FORMATS: &[Format] = &[
    Format {
        id: "secrets/github-pat",
        noun: "GitHub personal access token",
        severity: Severity::Critical,
        keywords: &["ghp_"],
        shape: Shape::Token {
            pattern: r"ghp_[A-Za-z0-9]{36}",
            lead: 0,
            window: 40,
            alphabet: Alphabet::Word,
        },
        judge: judges::base62_crc,
        power: "acts as its owner in every repository that the token reaches",
        revoke: "delete it in the owner's GitHub settings, under Developer settings",
        reference: Some((
            "Token formats of GitHub",
            "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/github-fine-grained-pat",
        noun: "fine-grained GitHub personal access token",
        severity: Severity::Critical,
        keywords: &["github_pat_"],
        shape: Shape::Token {
            pattern: r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
            lead: 0,
            window: 93,
            alphabet: Alphabet::Word,
        },
        judge: judges::github_fine_grained,
        power: "acts as its owner in the repositories that the token was granted",
        revoke: "delete it in the owner's GitHub settings, under Developer settings",
        reference: Some((
            "Token formats of GitHub",
            "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/github-oauth-token",
        noun: "GitHub OAuth access token",
        severity: Severity::Critical,
        keywords: &["gho_"],
        shape: Shape::Token {
            pattern: r"gho_[A-Za-z0-9]{36}",
            lead: 0,
            window: 40,
            alphabet: Alphabet::Word,
        },
        judge: judges::base62_crc,
        power: "acts as the user who authorized the application",
        revoke: "revoke the authorization of the application in the user's GitHub settings",
        reference: Some((
            "Token formats of GitHub",
            "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/github-user-token",
        noun: "GitHub App user access token",
        severity: Severity::Critical,
        keywords: &["ghu_"],
        shape: Shape::Token {
            pattern: r"ghu_[A-Za-z0-9]{36}",
            lead: 0,
            window: 40,
            alphabet: Alphabet::Word,
        },
        judge: judges::base62_crc,
        power: "acts as the user who authorized the app",
        revoke: "revoke the authorization of the app in the user's GitHub settings",
        reference: Some((
            "Token formats of GitHub",
            "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/github-installation-token",
        noun: "GitHub App installation access token",
        keywords: &["ghs_"],
        shape: Shape::Token {
            pattern: r"ghs_[A-Za-z0-9]{36}",
            lead: 0,
            window: 40,
            alphabet: Alphabet::Word,
        },
        power: "acts as the app in every repository it is installed in, for up to an hour",
        revoke: "suspend the installation of the app, or wait an hour until the token ends",
        reference: Some((
            "Token formats of GitHub",
            "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/github-refresh-token",
        noun: "GitHub App refresh token",
        keywords: &["ghr_"],
        shape: Shape::Token {
            pattern: r"ghr_[A-Za-z0-9]{76}",
            lead: 0,
            window: 80,
            alphabet: Alphabet::Word,
        },
        judge: judges::base62_crc,
        power: "obtains new user access tokens for up to six months",
        revoke: "revoke the authorization of the app in the user's GitHub settings",
        reference: Some((
            "Token formats of GitHub",
            "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/gitlab-pat",
        noun: "GitLab personal, project or group access token",
        severity: Severity::Critical,
        keywords: &["glpat-"],
        shape: Shape::Token {
            pattern: r"glpat-(?:[A-Za-z0-9_-]{27,300}\.[0-9a-z]{2}\.[0-9a-z]{9}|[A-Za-z0-9_-]{20})",
            lead: 0,
            window: 330,
            alphabet: Alphabet::Url,
        },
        judge: judges::gitlab,
        power: "acts as its owner in every project that the token reaches",
        revoke: "revoke it under Access tokens of its user, project or group",
        reference: Some(("Tokens of GitLab", "https://docs.gitlab.com/security/tokens/")),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/gitlab-runner-token",
        noun: "GitLab runner token",
        keywords: &["glrt-", "GR1348941"],
        shape: Shape::Token {
            pattern: r"(?:glrt-(?:[A-Za-z0-9_-]{27,300}\.[0-9a-z]{2}\.[0-9a-z]{9}|(?:t[0-9]_)?[A-Za-z0-9_-]{20})|GR1348941[A-Za-z0-9_-]{20})",
            lead: 0,
            window: 330,
            alphabet: Alphabet::Url,
        },
        judge: judges::gitlab,
        power: "registers or impersonates a runner, and so reads the variables of its jobs",
        revoke: "reset it in the runner's settings",
        reference: Some(("Tokens of GitLab", "https://docs.gitlab.com/security/tokens/")),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/gitlab-deploy-token",
        noun: "GitLab deploy token",
        keywords: &["gldt-"],
        shape: Shape::Token {
            pattern: r"gldt-[A-Za-z0-9_-]{20}",
            lead: 0,
            window: 26,
            alphabet: Alphabet::Url,
        },
        power: "reads, and perhaps writes, the repository, packages and images of the project",
        revoke: "revoke it under Deploy tokens of the project or group",
        reference: Some(("Tokens of GitLab", "https://docs.gitlab.com/security/tokens/")),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/gitlab-trigger-token",
        noun: "GitLab pipeline trigger token",
        keywords: &["glptt-"],
        shape: Shape::Token {
            pattern: r"glptt-[0-9a-f]{40}",
            lead: 0,
            window: 47,
            alphabet: Alphabet::Url,
        },
        power: "starts pipelines of the project with variables of their choice",
        revoke: "revoke it under Pipeline trigger tokens of the project",
        reference: Some(("Tokens of GitLab", "https://docs.gitlab.com/security/tokens/")),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/gitlab-agent-token",
        noun: "GitLab agent token",
        severity: Severity::Critical,
        keywords: &["glagent-"],
        shape: Shape::Token {
            pattern: r"glagent-[A-Za-z0-9_-]{50}",
            lead: 0,
            window: 59,
            alphabet: Alphabet::Url,
        },
        power: "connects to GitLab as the cluster's agent",
        revoke: "revoke it under Kubernetes clusters of the project",
        reference: Some(("Tokens of GitLab", "https://docs.gitlab.com/security/tokens/")),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/gitlab-oauth-secret",
        noun: "GitLab OAuth application secret",
        keywords: &["gloas-"],
        shape: Shape::Token {
            pattern: r"gloas-[A-Za-z0-9_-]{64}",
            lead: 0,
            window: 71,
            alphabet: Alphabet::Url,
        },
        power: "authenticates as the application against GitLab",
        revoke: "renew the secret of the application",
        reference: Some(("Tokens of GitLab", "https://docs.gitlab.com/security/tokens/")),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/gitlab-scim-token",
        noun: "GitLab SCIM token",
        keywords: &["glsoat-"],
        shape: Shape::Token {
            pattern: r"glsoat-[A-Za-z0-9_-]{20}",
            lead: 0,
            window: 28,
            alphabet: Alphabet::Url,
        },
        power: "creates, changes and removes users of the group",
        revoke: "reset it under SAML SSO of the group",
        reference: Some(("Tokens of GitLab", "https://docs.gitlab.com/security/tokens/")),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/atlassian-api-token",
        noun: "Atlassian API token",
        severity: Severity::Critical,
        keywords: &["ATATT3xFfGF0", "ATCTT3xFfGN0"],
        shape: Shape::Token {
            pattern: r"AT[AC]TT3xFfG[FN]0[A-Za-z0-9_-]{150,200}=[0-9A-F]{8}",
            lead: 0,
            window: 225,
            alphabet: Alphabet::Url,
        },
        judge: judges::atlassian,
        power: "acts as its owner in Jira, Confluence and Bitbucket",
        revoke: "revoke it in the owner's Atlassian account, under API tokens",
        reference: Some((
            "API tokens of Atlassian",
            "https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/bitbucket-app-password",
        noun: "Bitbucket app password",
        keywords: &["ATBB"],
        shape: Shape::Token {
            pattern: r"ATBB[A-Za-z0-9]{24}[0-9A-F]{8}",
            lead: 0,
            window: 37,
            alphabet: Alphabet::Word,
        },
        power: "acts as its owner in the workspaces that the password reaches",
        revoke: "revoke it in the owner's Bitbucket settings, under App passwords",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/azure-devops-pat",
        noun: "Azure DevOps personal access token",
        severity: Severity::Critical,
        keywords: &["AZDO"],
        shape: Shape::Token {
            pattern: r"[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}",
            lead: 76,
            window: 85,
            alphabet: Alphabet::Word,
        },
        power: "acts as its owner in the organizations that the token reaches",
        revoke: "revoke it in the owner's settings, under Personal access tokens",
        reference: Some((
            "Personal access tokens of Azure DevOps",
            "https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/circleci-pat",
        noun: "CircleCI access token",
        keywords: &["CCIPAT_"],
        shape: Shape::Token {
            pattern: r"CCIPAT_[A-Za-z0-9]{22}_[0-9a-f]{40}",
            lead: 0,
            window: 71,
            alphabet: Alphabet::Word,
        },
        power: "starts pipelines and reads their settings as its owner",
        revoke: "revoke it in the owner's CircleCI settings",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/sonarqube-token",
        noun: "SonarQube token",
        keywords: &["squ_", "sqp_", "sqa_"],
        shape: Shape::Token {
            pattern: r"sq[upa]_[0-9a-f]{40}",
            lead: 0,
            window: 45,
            alphabet: Alphabet::Word,
        },
        power: "reads code and changes the quality gate of projects as its owner",
        revoke: "revoke it in the owner's account, under Security",
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/terraform-cloud-token",
        noun: "HCP Terraform token",
        severity: Severity::Critical,
        keywords: &[".atlasv1."],
        shape: Shape::Token {
            pattern: r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,70}",
            lead: 14,
            window: 94,
            alphabet: Alphabet::Url,
        },
        power: "reads the state, which holds secrets, and changes what the workspaces manage",
        revoke: "revoke it in the settings of its user, team or organization",
        reference: Some((
            "API tokens of HCP Terraform",
            "https://developer.hashicorp.com/terraform/cloud-docs/users-teams-organizations/api-tokens",
        )),
        ..Format::DEFAULT
    },
    Format {
        id: "secrets/pulumi-token",
        noun: "Pulumi access token",
        keywords: &["pul-"],
        shape: Shape::Token {
            pattern: r"pul-[0-9a-f]{40}",
            lead: 0,
            window: 45,
            alphabet: Alphabet::Url,
        },
        power: "reads state, which holds secrets, and updates stacks as its owner",
        revoke: "delete it in the owner's Pulumi settings",
        ..Format::DEFAULT
    },
];
