-- On an empty server, as a superuser: the role that Tixxety is, which may do nothing elsewhere, and its database. The
-- role creates the extensions itself, since it owns the database and they are trusted ones (PostgreSQL 13 or newer).
-- Its password is taken from TIXXETY_PASSWORD.
\set ON_ERROR_STOP on
\getenv password TIXXETY_PASSWORD
CREATE ROLE tixxety LOGIN PASSWORD :'password';
CREATE DATABASE tixxety OWNER tixxety TEMPLATE template0 ENCODING 'UTF8';
REVOKE ALL ON DATABASE tixxety FROM PUBLIC;
