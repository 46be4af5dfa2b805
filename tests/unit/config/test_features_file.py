"""`features.csv` of a workspace: what is read, and the one line where it is wrong."""

from pathlib import Path

import pytest

from flows.config import workspace_features
from flows.errors import ConfigError

HEADER = "feature,side,kind,expression,description"


def written(folder: Path, *lines: str, header: str = HEADER) -> Path:
    (folder / "features.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return folder


def test_a_workspace_without_the_file_has_no_features(tmp_path: Path) -> None:
    assert workspace_features(tmp_path) == ()


def test_a_row_has_its_line_and_the_defaults_of_what_it_leaves_out(tmp_path: Path) -> None:
    workspace = written(
        tmp_path, "greets,output,share,\"a = 'x,y'\nand b\",that greet", "", "size,both,number,n_words,size"
    )
    greets, size = workspace_features(workspace)
    assert (greets.line, greets.expression, greets.grid, greets.severity) == (2, "a = 'x,y'\nand b", "flag", "warning")
    assert (size.line, size.grid, size.need, size.is_shown_in_percent) == (5, "log", "usefulness", False)


def test_a_row_may_say_how_severe_a_change_is_and_which_need_it_concerns(tmp_path: Path) -> None:
    header = f"{HEADER},grid,severity,need,compare_expected"
    line = "part,output,number,0.5,part of it,unit,critical,reliability,true"
    (part,) = workspace_features(written(tmp_path, line, header=header))
    assert (part.grid, part.severity, part.need, part.compare_expected) == ("unit", "critical", "reliability", True)
    assert part.is_shown_in_percent


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("greets,outputs,share,true,that greet", ":2: feature `greets`: unknown side 'outputs'"),
        ("greets,output,shares,true,that greet", "unknown kind 'shares' (share, number); did you mean `share`?"),
        ("greets,output,share,,that greet", ":2: feature `greets`: `expression` is empty"),
        ("greets,output,share,a, b,that greet", ":2: has 6 values for 5 columns; an expression with a comma needs"),
        ("refusal,output,share,true,that refuse", "genchi has a feature of this name; choose another, such as `my_ref"),
        ("route,output,share,true,that greet", "genchi has a column of this name"),
        ("cluster_key,output,share,true,that greet", "genchi has a column of this name"),
        ("Greets!,output,share,true,that greet", "feature `Greets!`: a name has small letters, digits and `_` only"),
        ("a,both,share,true,x\na,both,share,true,x", ":3: feature `a`: line 2 has the same name"),
        ('a,both,share,"true,x', ":2: is not CSV: unexpected end of data"),
    ],
)
def test_a_wrong_row_is_one_line_with_file_line_and_feature(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        workspace_features(written(tmp_path, line))
    assert f"{tmp_path / 'features.csv'}:" in str(error.value)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("feature,side,kind,expression", ":1: the column `description` is missing"),
        (f"{HEADER},severty", ":1: unknown column `severty`; did you mean `severity`?"),
        (f"{HEADER},side", ":1: a column is there twice"),
    ],
)
def test_a_wrong_header_is_one_line(tmp_path: Path, header: str, told: str) -> None:
    with pytest.raises(ConfigError, match=r"features\.csv:1:") as error:
        workspace_features(written(tmp_path, header=header))
    assert told in str(error.value)
