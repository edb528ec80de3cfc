import { describe, expect, it } from "vitest";
import { parseSpiffeId } from "../../../spiffe/index.ts";
import { compile, decide } from "../../engine.ts";
import { resolve } from "../../resolve/resolve.ts";
import { parseDocuments } from "../../syntax/index.ts";
import { importAwsSecurityGroups } from "./import-aws-security-groups.ts";

const TUTORIAL = `
# what tutorials teach
resource "aws_security_group" "web" {
  name        = "allow_tls"
  description = "Allow TLS \${var.who}"
  vpc_id      = aws_vpc.main.id

  ingress {
    description = "TLS from anywhere"
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
    ipv6_cidr_blocks = ["::/0"]
  }
  ingress {
    from_port = 8000
    to_port   = 8010
    protocol  = "tcp"
    cidr_blocks = [
      "10.0.0.0/8", // office
      "192.168.1.1/24",
    ]
  }
  egress {
    from_port = 0
    to_port = 0
    protocol = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
  tags = { Name = "allow_tls" }
}
resource "aws_security_group" "db" {
  ingress {
    from_port       = 5432
    to_port         = 5432
    protocol        = "tcp"
    security_groups = [aws_security_group.web.id]
  }
  ingress {
    from_port = 0
    to_port   = 65535
    protocol  = "tcp"
    self      = true
  }
}
resource "aws_security_group_rule" "ssh" {
  type = "ingress"
  from_port = 22
  to_port = 22
  protocol = "tcp"
  cidr_blocks = [var.office]
  security_group_id = aws_security_group.db.id
}
resource "aws_instance" "x" { ami = "ami-1" }
`;

const { documents, report } = importAwsSecurityGroups([{ path: "main.tf", text: TUTORIAL }], {});
const parsed = parseDocuments([{ path: "imported.yaml", text: documents }]);
const set = resolve(parsed.documents, { diagnostics: parsed.diagnostics });

function verdict(from: string | undefined, to: string, port: number, address: string): string {
  const id = (name: string) => parseSpiffeId(`spiffe://cluster.local/ns/default/sa/${name}`);
  return decide(compile(set), {
    ...(from === undefined ? {} : { caller: id(from) }),
    destination: id(to),
    peerAddress: address,
    listener: { port, kind: from === undefined ? "edge" : "mesh" },
    tcp: {},
    now: new Date(),
  }).verdict;
}

describe("import of AWS security groups", () => {
  it("writes documents without errors", () => {
    expect(set.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  });

  it.each([
    [undefined, "web", 443, "203.0.113.9", "allow"],
    [undefined, "web", 443, "2001:db8::1", "allow"],
    [undefined, "web", 444, "203.0.113.9", "deny"],
    ["db", "web", 8005, "10.1.2.3", "allow"],
    ["db", "web", 8005, "192.168.1.77", "allow"],
    ["db", "web", 8005, "192.168.2.77", "deny"],
    ["db", "web", 8011, "10.1.2.3", "deny"],
    ["web", "db", 5432, "10.0.0.1", "allow"],
    ["web", "db", 22, "10.0.0.1", "deny"],
    ["db", "db", 22, "10.0.0.1", "allow"],
  ] as const)("decides a connection of %s to %s:%s from %s as the group: %s", (from, to, port, address, expected) => {
    expect(verdict(from, to, port, address)).toBe(expected);
  });

  it("reports every block, what only Terraform knows among them", () => {
    const constructs = report.entries.map(({ construct, fidelity }) => `${construct} ${fidelity}`);
    expect(constructs).toContain("aws_security_group web: egress exact");
    expect(constructs).toContain("resource aws_instance x unsupported");
    expect(report.entries.some(({ reason }) => reason.includes("`var.office`"))).toBe(true);
    expect(report.entries.every(({ place }) => place.file === "main.tf" && place.line > 0)).toBe(true);
  });

  it("refuses a text that does not end with its place", () => {
    const read = () =>
      importAwsSecurityGroups([{ path: "x.tf", text: 'resource "aws_security_group" "a" {\n ingress {' }], {});
    expect(read).toThrow(/^x\.tf:2:/);
  });
});

describe("other ways to write a security group's rules", () => {
  const rules = (body: string) =>
    importAwsSecurityGroups([{ path: "main.tf", text: `resource "aws_security_group" "web" {\n${body}\n}\n` }], {});

  it("a list of maps", () => {
    const { documents: written } = rules(
      'ingress = [{ from_port = 443, to_port = 443, protocol = "tcp", cidr_blocks = ["10.0.0.0/8"] }]',
    );
    expect(written).toContain("10.0.0.0/8");
    expect(written).toContain("443");
  });

  it.each([
    ["computed", "ingress = var.rules"],
    ["made for each", 'dynamic "ingress" {\nfor_each = var.ports\ncontent {\ncidr_blocks = var.blocks\n}\n}'],
  ])("rules that are %s are reported", (_title, body) => {
    const { narrower, unsupported } = rules(body).report.summary;
    expect(narrower + unsupported).toBeGreaterThan(0);
  });
});
