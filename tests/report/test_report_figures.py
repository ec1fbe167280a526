"""Every figure: it renders, repeats itself, names its units, and no text runs into another or off the page."""

import functools
import io
import itertools
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import imread
from matplotlib.text import Text

from operando.errors import InputError
from operando.report.cathode_volume import cathode_volume_figure
from operando.report.depth_time import depth_time_figure
from operando.report.electrode_averages import electrode_averages_figure
from operando.report.joint_histogram import joint_histogram_figure
from operando.report.lithiation_depth import lithiation_depth_figure
from operando.report.lithiation_time import lithiation_time_figure
from operando.report.overview import overview_figure
from operando.report.phases import phases_figure
from operando.report.quantities import quantities_figure
from operando.report.radial import radial_figure
from operando.report.radiograph import radiograph_figure
from operando.report.separator_maps import separator_caption, separator_change_figure, separator_maps_figure
from operando.report.slices import slices_figure
from operando.report.style import amounts, changes, png_bytes
from operando.report.truth_comparison import truth_comparison_figure
from operando.units import Measured

LAYERS = {"cathode": (0.0, 4e-4), "separator": (4e-4, 1.2e-3)}

FIGURES = {
    "depth_time": lambda d: depth_time_figure(d["profiles"], layers=LAYERS),
    "slices": lambda d: slices_figure(d["volumes"]),
    "electrode_averages": lambda d: electrode_averages_figure(d["averages"], cycler=d["cycler"]),
    "separator_maps": lambda d: separator_maps_figure(d["separator"]),
    "separator_change": lambda d: separator_change_figure(d["separator"]),
    "lithiation_time": lambda d: lithiation_time_figure(d["mean"], expected=d["expected"]),
    "lithiation_depth": lambda d: lithiation_depth_figure(d["depth"]),
    "cathode_volume": lambda d: cathode_volume_figure(d["cathode"]),
    "radial": lambda d: radial_figure(d["radius"]),
    "phases": lambda d: phases_figure(d["phases"]),
    "joint_histogram": lambda d: joint_histogram_figure(d["phases"]),
    "overview": lambda d: overview_figure(
        phase=d["phases"].phase,
        lithiation=d["mean"],
        expected=d["expected"],
        cathode=d["cathode"],
        separator=d["separator"],
    ),
    "truth_comparison": lambda d: truth_comparison_figure(d["comparison"]),
    "quantities": lambda d: quantities_figure(d["quantities"]),
    "radiograph": lambda d: radiograph_figure(
        d["projections"], section=d["section"], centre=Measured(1.65e-3, 1e-5), row=3
    ),
}

WITHOUT_UNIT = {
    "Density",
    "(Estimate − truth) / standard deviation",
    "Truth",
    "Estimate",
    "Number per bin",
    "Voxels per bin",
    "Line integral −ln T",
    "Difference (percentage points)",
}
"""Labels of axes that carry no physical unit."""

every_figure = pytest.mark.parametrize("name", FIGURES)


@pytest.fixture(scope="module")
def rendered(data):
    """Each figure after it was drawn once, with its picture."""

    @functools.cache
    def once(name):
        figure = FIGURES[name](data)
        return figure, png_bytes(figure, resolution=60)

    return once


def texts(figure):
    """Extent of each text that is seen, in pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    out_of_sight = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            margin = 1e-6 * (high - low)
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                if not low - margin <= tick.get_loc() <= high + margin:
                    out_of_sight |= {tick.label1, tick.label2}
    seen = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip() and t not in out_of_sight]
    return {text: text.get_window_extent(renderer) for text in seen}


@every_figure
def test_the_same_data_give_the_same_picture(name, data, rendered):
    picture = rendered(name)[1]
    assert picture.startswith(b"\x89PNG")
    assert png_bytes(FIGURES[name](data), resolution=60) == picture


@every_figure
def test_no_text_runs_into_another_or_off_the_page(name, rendered):
    figure = rendered(name)[0]
    extents = texts(figure)
    width, height = figure.bbox.width, figure.bbox.height
    for text, box in extents.items():
        inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1
        assert inside, f"{text.get_text()!r} leaves the page: {box}"
    for (a, first), (b, second) in itertools.combinations(extents.items(), 2):
        across = min(first.x1, second.x1) - max(first.x0, second.x0)
        up = min(first.y1, second.y1) - max(first.y0, second.y0)
        # Boxes hold the room for letters that descend; a pixel of it (at 100 dots per inch) may be shared.
        assert min(across, up) < 1.5, f"{a.get_text()!r} runs into {b.get_text()!r}"


@every_figure
def test_axes_with_numbers_name_their_unit(name, rendered):
    figure = rendered(name)[0]
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            numbered = [t for t in axis.get_ticklabels() if t.get_visible() and t.get_text()]
            label = axis.get_label().get_text().split("\n1σ")[0].replace("\n", " ")
            if numbered and not (name == "quantities" and axis is axes.yaxis):
                shared = [
                    other for other in figure.axes if other is not axes and axes.get_shared_x_axes().joined(axes, other)
                ]
                assert label or (axis is axes.xaxis and shared), f"axis of {name} without a label"
            assert not label or label in WITHOUT_UNIT or label.endswith(")"), label


def test_a_missing_scan_stays_white(data, time):
    """The pixel under the scan that is missing is paper; those beside it are not."""
    figure = depth_time_figure(data["profiles"])
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    picture = np.asarray(canvas.buffer_rgba())[..., :3]
    for axes in figure.axes[:2]:
        shown = []
        for hour in (time[1], time[1] + 1500, time[2]):
            x, y = axes.transData.transform((hour / 3600, 600.0))
            shown.append(picture[picture.shape[0] - round(y), round(x)])
        assert (shown[1] == 255).all()
        assert (shown[0] != 255).any()
        assert (shown[2] != 255).any()


def test_changes_are_centred_and_amounts_say_what_they_leave_out():
    scale = changes(np.array([-1.0, 0.0, 5.0, np.nan]))
    assert scale.vmin == -scale.vmax
    spread = np.concatenate([np.linspace(0, 1, 1000), [100.0]])
    assert amounts(spread).extend == "both"
    assert amounts(np.array([1.0, 1.0])).vmax > 1.0
    assert changes(np.zeros(3)).vmax > 0


def test_users_settings_neither_change_a_figure_nor_are_changed(data, rendered):
    plain = rendered("radial")[1]
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "lines.linewidth": 9}):
        before = dict(matplotlib.rcParams)
        assert png_bytes(radial_figure(data["radius"]), resolution=60) == plain
        assert dict(matplotlib.rcParams) == before


def test_no_figure_needs_a_window_system():
    code = "import sys, operando.report.overview; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_written_picture_has_the_size_of_a_page(data):
    picture = imread(io.BytesIO(png_bytes(slices_figure(data["volumes"]))))
    assert picture.shape[1] == pytest.approx(183 / 25.4 * 250, abs=1)


def test_errors_are_drawn_at_their_size(data):
    """The error bars of the mean lithiation reach one statistical deviation, 0.4 %, either way."""
    figure = lithiation_time_figure(data["mean"])
    bars = figure.axes[0].containers[0].lines[2][0].get_segments()
    heights = [bar[1, 1] - bar[0, 1] for bar in bars]
    np.testing.assert_allclose(heights, 0.8)


def test_the_difference_is_from_the_expectation_at_the_time_of_the_scan(data):
    figure = lithiation_time_figure(data["mean"], expected=data["expected"])
    points = figure.axes[1].containers[0].lines[0].get_ydata()
    np.testing.assert_allclose(points, 0.0, atol=1e-9)


def test_a_caption_states_the_error_of_a_voxel(data):
    assert "One standard deviation of a voxel is 0.2 %." in separator_caption(data["separator"])
    bare = data["separator"].drop_vars("lithium6_var")
    assert "deviation" not in separator_caption(bare)


def test_figures_do_without_what_is_not_known(data):
    """No variances, no cycler, no expectation, no front, and a single scan."""
    for figure in (
        depth_time_figure(data["profiles"][["attenuation"]].isel(time=[0])),
        slices_figure(data["volumes"][["attenuation"]], heights={"low": 0.0, "high": 4e-4}),
        electrode_averages_figure(data["averages"][["attenuation"]]),
        lithiation_time_figure(data["mean"][["lithiation"]]),
        lithiation_depth_figure(data["depth"][["lithiation"]]),
        radial_figure(data["radius"][["lithiation"]].isel(time=[0])),
        separator_change_figure(data["separator"].isel(time=[0])),
        cathode_volume_figure(data["cathode"][["lithiation"]], steps=[2]),
    ):
        assert png_bytes(figure, resolution=50)


def test_honest_errors_give_pulls_of_one(data):
    figure = truth_comparison_figure(data["comparison"])
    text = next(t.get_text() for t in figure.axes[1].texts if "std" in t.get_text())
    assert float(text.split("std ")[1].split("\n")[0]) == pytest.approx(1.0, abs=0.05)


def test_systematic_and_statistical_errors_add_in_squares(data):
    doubled = data["comparison"].assign(estimate_systematic=data["comparison"].truth * 0 + 0.1 * np.sqrt(3))
    doubled.estimate_systematic.attrs["units"] = ""
    figure = truth_comparison_figure(doubled)
    text = next(t.get_text() for t in figure.axes[1].texts if "std" in t.get_text())
    assert float(text.split("std ")[1].split("\n")[0]) == pytest.approx(0.5, abs=0.03)


def test_bad_data_are_refused_by_name(data):
    with pytest.raises(InputError, match="attenuation must be on dimensions"):
        depth_time_figure(data["profiles"].transpose("z", "time"))
    with pytest.raises(InputError, match="estimate_var must be given"):
        truth_comparison_figure(data["comparison"][["estimate", "truth"]])
    with pytest.raises(InputError, match="quantities"):
        quantities_figure([{"name": "a", "value": 1.0}])
    with pytest.raises(InputError, match="phases must be names"):
        phases_figure(data["phases"].assign(phase=data["phases"].phase.assign_attrs(phases=("air",))))
    with pytest.raises(InputError, match="projection, row, column"):
        radiograph_figure(data["projections"][0], section=data["section"], centre=Measured(1e-3))
